"""The ledger of erasures as objects in a bucket, for a system of several machines: one object an erasure.

Objects are numbered without holes and only ever created: of two machines that write at once one gets the number, and
the other takes the next. What was written stands; an object that is missing in between is damage.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from services.core.platform.erasure_ledger import ErasureLedger, LedgerAwayError, LedgerBrokenError, LedgerEntry
from services.core.platform.settings import Settings

# A machine hears of another one's erasure after this time, when it next gives out a connection.
_FRESH_S: Final = 1.0
# While the bucket is away, known entries are used and it is asked again after this time.
_ASK_AGAIN_S: Final = 10.0
_DIGITS: Final = 10
_FETCHED_AT_ONCE: Final = 16
_FOLDER: Final = "erasures"
# The library raises its own errors or Python's, by the call.
_EXISTS: Final = (AlreadyExistsError, FileExistsError)
_MISSING: Final = (NotFoundError, FileNotFoundError)

log = structlog.get_logger()


class S3ErasureLedger(ErasureLedger):
    """The ledger in a bucket. Its calls block: they are made in threads."""

    def __init__(self, asked: S3Store, written: S3Store) -> None:
        # The one for reading gives up soon: a connection waits for its answer.
        self._asked = asked
        self._written = written
        self._entries: list[LedgerEntry] = []
        self._fresh_until_s: float | None = None
        self._creates_only = False
        self._turn = threading.Lock()

    @classmethod
    def at(cls, url: str, settings: Settings) -> S3ErasureLedger:
        """Return the ledger at ``s3://<bucket>/<prefix>``, with the address and keys of the audio store."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")

        def store(timeout: str, retries: int) -> S3Store:
            return S3Store(
                bucket, prefix=prefix or None, endpoint=settings.s3_endpoint or None,
                region=settings.s3_region or None, access_key_id=settings.s3_access_key_id or None,
                secret_access_key=settings.s3_secret_access_key.get_secret_value() or None,
                client_options={"allow_http": settings.s3_endpoint.startswith("http:"), "timeout": timeout},
                retry_config={"max_retries": retries},
            )  # fmt: skip

        return cls(store("3s", 0), store("10s", 2))

    def append(self, entry: LedgerEntry) -> None:
        """Write an entry; the bucket holds it once this returns. Raises LedgerAwayError, LedgerBrokenError."""
        with self._turn:
            try:
                self.check_creates_only()
                while True:
                    self._read_on(self._written)
                    if entry in self._entries:
                        return  # written by an attempt whose answer was lost
                    try:
                        name = _name(len(self._entries) + 1)
                        obstore.put(self._written, name, entry.line().encode(), mode="create")
                    except _EXISTS:
                        continue  # another machine took the number
                    self._entries.append(entry)
                    return
            except (BaseError, OSError, TimeoutError) as error:
                log.warning("erasure_ledger_away", error=type(error).__name__)
                raise LedgerAwayError from error

    def read(self) -> list[LedgerEntry]:
        """Return every entry, the oldest first; the known ones while the bucket is away.

        Raises LedgerBrokenError, and LedgerAwayError as long as it has not answered once.
        """
        with self._turn:
            was_read = self._fresh_until_s is not None
            try:
                if not was_read:
                    self._read_all()
                self._read_on(self._asked)
                self._fresh_until_s = time.monotonic() + _FRESH_S
            except (BaseError, OSError, TimeoutError) as error:
                log.warning("erasure_ledger_away", error=type(error).__name__)
                if not was_read:
                    raise LedgerAwayError from error
                self._fresh_until_s = time.monotonic() + _ASK_AGAIN_S
            return list(self._entries)

    def unchanged_entries(self) -> list[LedgerEntry] | None:
        """Return what is known, if the bucket was asked within the last second; None: it has to be asked again."""
        fresh_until_s = self._fresh_until_s
        return self._entries if fresh_until_s is not None and time.monotonic() < fresh_until_s else None

    def exists(self) -> bool:
        """Return True: a bucket without objects is an empty ledger."""
        return True

    def check_creates_only(self) -> None:
        """Raise LedgerAwayError for a bucket that replaces objects although it is told to create only."""
        if self._creates_only:
            return
        probe = f"probes/{secrets.token_hex(8)}"
        try:
            obstore.put(self._written, probe, b"first", mode="create")
            try:
                obstore.put(self._written, probe, b"second", mode="create")
            except _EXISTS:
                self._creates_only = True
            with contextlib.suppress(BaseError, OSError):
                obstore.delete(self._written, probe)
        except (BaseError, OSError, TimeoutError) as error:
            raise LedgerAwayError from error
        if not self._creates_only:
            log.critical("erasure_ledger_not_create_only")
            raise LedgerAwayError

    def _read_all(self) -> None:
        names = sorted(item["path"] for page in obstore.list(self._asked, f"{_FOLDER}/") for item in page)
        if [name.rpartition("/")[2] for name in names] != [f"{n + 1:0{_DIGITS}d}" for n in range(len(names))]:
            raise LedgerBrokenError  # an object was deleted, or is none of ours
        with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
            self._entries = list(pool.map(lambda n: self._fetch(self._asked, n + 1), range(len(names))))

    def _read_on(self, store: S3Store) -> None:
        """Read what other machines have written since."""
        while True:
            try:
                self._entries.append(self._fetch(store, len(self._entries) + 1))
            except _MISSING:
                return

    @staticmethod
    def _fetch(store: S3Store, number: int) -> LedgerEntry:
        return LedgerEntry.parse(bytes(obstore.get(store, _name(number)).bytes()))


def _name(number: int) -> str:
    return f"{_FOLDER}/{number:0{_DIGITS}d}"
