"""A push service and a webhook's receiver on loopback, with a browser that opens what was sealed for it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Posted:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushService:
    """Answers what it is told to, and keeps what came."""

    port: int = 0
    status: int = 201
    posted: list[Posted] = field(default_factory=list)
    # Set: it takes the request and never answers.
    is_stuck: bool = False

    def address(self, path: str = "/push/abc") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.posted.append(Posted(first.split(" ")[1], headers, body))
            if self.is_stuck:
                await reader.read()
            elsewhere = f"Location: {self.address('/elsewhere')}\r\n" if self.status // 100 == 3 else ""
            writer.write(
                f"HTTP/1.1 {self.status} x\r\n{elsewhere}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PushService]:
        """Listen on a free port for the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


class Browser:
    """The receiving side of RFC 8291, written from the RFC."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = secrets.token_bytes(16)

    @property
    def point(self) -> bytes:
        return self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, address: str) -> dict[str, str]:
        """Return the body that registers it."""
        keys = {"p256dh": self.point, "auth": self._auth}
        written = {name: base64.urlsafe_b64encode(raw).decode().rstrip("=") for name, raw in keys.items()}
        return {"kind": "web_push", "address": address, **written}

    def open(self, body: bytes) -> bytes:
        """Return what was sealed for it."""
        salt, length = body[:16], body[20]
        their_point, record = body[21 : 21 + length], body[21 + length :]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), their_point)
        shared = self._private.exchange(ec.ECDH(), theirs)
        secret = _hkdf(shared, self._auth, b"WebPush: info\0" + self.point + their_point, 32)
        key = _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert padded[-1:] == b"\2"
        return padded[:-1]


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
