"""Finds the watches whose will the broker refuses or drops, by reading the log-ins of a few connections.

Mosquitto refuses a will with the retain flag or QoS 2 before it has read the user name, and drops one for a foreign
topic without a word. Only the CONNECT tells whose it is, and TLS ends in Mosquitto: for a few connections the gate
takes part in it (:class:`services.broker.opened_tls.OpenedTls`).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from services.broker.connect_packet import Connect, Will
from services.broker.opened_tls import OpenedTls

# A watch whose will was refused comes back after seconds, or minutes at most.
_SUSPECTED_S: Final = 600.0
_ADDRESSES_MAX: Final = 1_000
# Of the other connections this share is read, so that wills for foreign topics are found as well.
SAMPLE_EVERY: Final = 50
# Reading begins at most so often (a handshake costs the gate milliseconds), and goes on until the connection ends.
_EACH_S: Final = 0.2
OPEN_MAX: Final = 16
_QOS_MAX: Final = 1


def is_refused(connect: Connect) -> bool:
    """Return whether nobody will ever hear this will: refused at the log-in, or dropped by the access file."""
    will: Will | None = connect.will
    if will is None:
        return False
    return will.retain or will.qos > _QOS_MAX or not will.topic.startswith(f"sw/v1/{connect.username}/up/")


class ReadingRules:
    """Which connections are read: those of addresses behind which a will was refused lately, and a sample."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._suspected_at: OrderedDict[str, float] = OrderedDict()
        self._seen = 0
        self._begun_at_s = -_EACH_S

    def suspect(self, keys: Iterable[str]) -> None:
        """A will was refused of a connection that came from one of these addresses."""
        for key in keys:
            self._suspected_at[key] = self._clock()
            self._suspected_at.move_to_end(key)
            if len(self._suspected_at) > _ADDRESSES_MAX:
                self._suspected_at.popitem(last=False)

    def chooses(self, key: str, open_now: int, sampled_now: int) -> str | None:
        """Return why a new connection of this address is read, "suspected" or "sampled"; None when it is not.

        Connections that were read and are still open are given as ``open_now`` (of suspects) and ``sampled_now``.
        """
        now_s = self._clock()
        self._seen += 1
        why = None
        if now_s - self._suspected_at.get(key, now_s - _SUSPECTED_S) < _SUSPECTED_S:
            why = "suspected" if open_now < OPEN_MAX else None
        elif self._seen % SAMPLE_EVERY == 0:
            why = "sampled" if sampled_now < OPEN_MAX else None
        if why is None or now_s - self._begun_at_s < _EACH_S:
            return None
        self._begun_at_s = now_s
        return why


class WillReader:
    """Reads the log-ins that the rules choose, with the certificate of Mosquitto's listener in ``folder``.

    ``fits`` returns whether a password is the user's, so that nobody is blamed for what a stranger sends; ``refuse``
    is called with the user name of each refused will.
    """

    def __init__(
        self,
        folder: Path,
        fits: Callable[[str, str], bool],
        refuse: Callable[[str], None],
        rules: ReadingRules | None = None,
    ) -> None:
        self._folder = folder
        self._fits = fits
        self._refuse = refuse
        self._rules = rules or ReadingRules()
        self._open: dict[asyncio.Transport, str] = {}

    def suspect(self, keys: Iterable[str]) -> None:
        """A will was refused of a connection that came from one of these addresses."""
        self._rules.suspect(keys)

    def open(self, key: str, watch: asyncio.Transport, broker: asyncio.Transport) -> OpenedTls | None:
        """Return what passes on this connection's bytes and reads them, None when it is not to be read."""
        self._open = {transport: why for transport, why in self._open.items() if not transport.is_closing()}
        reasons = list(self._open.values())
        why = self._rules.chooses(key, reasons.count("suspected"), reasons.count("sampled"))
        if why is None:
            return None
        try:
            contexts = _like_mosquitto(self._folder), _to_mosquitto()
        except (OSError, ssl.SSLError):
            return None  # the certificate is being replaced: it is passed on unread
        self._open[watch] = why
        return OpenedTls((contexts[0], watch), (contexts[1], broker), self._judge)

    def _judge(self, connect: Connect) -> None:
        if is_refused(connect) and self._fits(connect.username, connect.password):
            self._refuse(connect.username)


def _like_mosquitto(folder: Path) -> ssl.SSLContext:
    """Return what Mosquitto's listener offers: `tls_version` and `ciphers` of its configuration."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    # No session of it could be resumed with Mosquitto.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


def _to_mosquitto() -> ssl.SSLContext:
    """Return the context towards Mosquitto on loopback, whose certificate names the host that watches use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
