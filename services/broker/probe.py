"""One MQTT CONNECT, to find out whether Mosquitto accepts a log-in; the broker process needs no MQTT library."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

_CONNACK = 0x20
_KEEPALIVE_S = 60


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect_packet(client_id: str, username: str, password: str) -> bytes:
    """Return a CONNECT of MQTT 3.1.1 with clean session, user name and password (OASIS 3.1)."""
    clean_session_username_password = 0b1100_0010
    variable = _text("MQTT") + bytes([4, clean_session_username_password]) + _KEEPALIVE_S.to_bytes(2, "big")
    rest = variable + _text(client_id) + _text(username) + _text(password)
    return b"\x10" + _remaining_length(len(rest)) + rest


def _remaining_length(length: int) -> bytes:
    """Encode the length of a packet's rest (OASIS 2.2.3): seven bits a byte, the lowest first."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)


def probe_tls() -> ssl.SSLContext:
    """Return a TLS context for the probe.

    It checks no certificate: the probe connects to this machine, its password lives for one password file, and the
    certificate names the host that watches use.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def probe_login(
    host: str, port: int, username: str, password: str, *, tls: bool | ssl.SSLContext, client_id: str | None = None,
    timeout_s: float = 2.0,
) -> int | None:  # fmt: skip
    """Log in with a clean session and out again, as ``client_id`` (default: the user name).

    ``tls`` is a context, or True for one that checks no certificate.
    Return the code of CONNACK (0: accepted, 4 and 5: refused), None when no answer came.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=probe_tls() if tls is True else tls or None)
            try:
                writer.write(connect_packet(client_id or username, username, password))
                answer = await reader.readexactly(4)
                writer.write(b"\xe0\x00")
                await writer.drain()
            finally:
                writer.close()
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return None
    return answer[3] if answer[0] == _CONNACK else None
