"""Finds the watches whose will the broker refuses or drops, by reading one log-in of each watch a day.

Mosquitto refuses a will with the retain flag or QoS 2 before it has read the user name, and drops one for a foreign
topic without a word. Only the CONNECT tells whose it is, and TLS ends in Mosquitto: for these connections the gate
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
# The will of a watch is read again after this time: its firmware may be another one.
_KNOWN_S: Final = 86_400.0
# Reading begins at most so often (a handshake costs the gate milliseconds), and goes on until the connection ends.
_EACH_S: Final = 0.2
SUSPECTED_MAX: Final = 16
UNKNOWN_MAX: Final = 128
# User names that are remembered, of each kind.
_NAMES_MAX: Final = 100_000
_QOS_MAX: Final = 1


def is_refused(connect: Connect) -> bool:
    """Return whether nobody will ever hear this will: refused at the log-in, or dropped by the access file."""
    will: Will | None = connect.will
    if will is None:
        return False
    return will.retain or will.qos > _QOS_MAX or not will.topic.startswith(f"sw/v1/{connect.username}/up/")


class ReadingRules:
    """Chooses the connections that are read.

    Those of addresses behind which a will was refused lately, and any other ones while there are watches that logged in
    although their will is not known.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._suspected_at: OrderedDict[str, float] = OrderedDict()
        self._known_at: OrderedDict[str, float] = OrderedDict()
        self._unknown: set[str] = set()
        self._begun_at_s = -_EACH_S

    def suspect(self, keys: Iterable[str]) -> None:
        """A will was refused of a connection that came from one of these addresses."""
        for key in keys:
            _remember(self._suspected_at, key, self._clock(), _ADDRESSES_MAX)

    def know(self, username: str) -> None:
        """The will of this watch, or that it has none, has been read."""
        self._unknown.discard(username)
        _remember(self._known_at, username, self._clock(), _NAMES_MAX)

    def note_login(self, username: str) -> None:
        """Note that this watch has logged in, on a connection that may have been read."""
        known_at_s = self._known_at.get(username)
        is_known = known_at_s is not None and self._clock() - known_at_s < _KNOWN_S
        if not is_known and len(self._unknown) < _NAMES_MAX:
            self._unknown.add(username)

    def chooses(self, key: str, suspected_open: int, unknown_open: int) -> str | None:
        """Return why a new connection of this address is read, "suspected" or "unknown"; None when it is not.

        The connections that were read for either reason and are still open are given.
        """
        now_s = self._clock()
        why = None
        if now_s - self._suspected_at.get(key, now_s - _SUSPECTED_S) < _SUSPECTED_S:
            why = "suspected" if suspected_open < SUSPECTED_MAX else None
        elif self._unknown:
            why = "unknown" if unknown_open < UNKNOWN_MAX else None
        if why is None or now_s - self._begun_at_s < _EACH_S:
            return None
        self._begun_at_s = now_s
        return why


def _remember(times: OrderedDict[str, float], name: str, now_s: float, names_max: int) -> None:
    times[name] = now_s
    times.move_to_end(name)
    if len(times) > names_max:
        times.popitem(last=False)


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

    def note_login(self, username: str) -> None:
        """Note that this watch has logged in through the gate."""
        self._rules.note_login(username)

    def open(self, key: str, watch: asyncio.Transport, broker: asyncio.Transport) -> OpenedTls | None:
        """Return what passes on this connection's bytes and reads them, None when it is not to be read."""
        self._open = {transport: why for transport, why in self._open.items() if not transport.is_closing()}
        reasons = list(self._open.values())
        why = self._rules.chooses(key, reasons.count("suspected"), reasons.count("unknown"))
        if why is None:
            return None
        try:
            contexts = _like_mosquitto(self._folder), _to_mosquitto()
        except (OSError, ssl.SSLError):
            return None  # the certificate is being replaced: it is passed on unread
        self._open[watch] = why
        return OpenedTls((contexts[0], watch), (contexts[1], broker), self._judge)

    def _judge(self, connect: Connect) -> None:
        # Only what the watch itself says counts.
        if self._fits(connect.username, connect.password):
            self._rules.know(connect.username)
            if is_refused(connect):
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
