"""One MQTT CONNECT by hand, to see what Mosquitto itself thinks of a login; the broker face needs no MQTT library."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

_CONNACK = 0x20
_KEEPALIVE_S = 60
_FIXED_HEADER_LENGTH_MAX = 127  # one byte of remaining length; names and passwords here are far shorter


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect_packet(client_id: str, username: str, password: str) -> bytes:
    """Return a CONNECT of MQTT 3.1.1 with clean session, user name and password (OASIS 3.1)."""
    clean_session_username_password = 0b1100_0010
    variable = _text("MQTT") + bytes([4, clean_session_username_password]) + _KEEPALIVE_S.to_bytes(2, "big")
    rest = variable + _text(client_id) + _text(username) + _text(password)
    if len(rest) > _FIXED_HEADER_LENGTH_MAX:
        raise ValueError("the probe's names are too long")
    return bytes([0x10, len(rest)]) + rest


def probe_tls() -> ssl.SSLContext:
    """Return a TLS context for the probe.

    It checks no certificate: it talks to an address of this machine, sends a password that lives for one password file,
    and the certificate bears the name that watches use.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def probe_login(
    host: str, port: int, username: str, password: str, *, tls: bool, timeout_s: float = 2.0
) -> int | None:
    """Log in and out; return the return code of CONNACK (0: let in, 4 and 5: refused), None if nobody answered."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=probe_tls() if tls else None)
            try:
                writer.write(connect_packet(username, username, password))
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
