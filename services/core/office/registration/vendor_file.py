"""The file that transfers the watches' secrets between the programme and the vendor: ``serial,secret``.

It is written once, readable by its owner only, and complete before the database commits. A crash in between leaves a
file whose secrets are not accepted yet; the same command then registers exactly those. The reverse order would leave
registered watches with unknown secrets.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.core.devices.watches.errors import VendorFileFailedError
from services.core.devices.watches.rules import WatchRow, is_serial
from services.core.office.registration.factory_secrets import OfferedSecret, secret_faults
from services.core.platform.crypto.random_ids import new_secret
from services.core.platform.spreadsheets.sheets import Fault, first_faults, of_file, read_sheet, repeated_cells

_COLUMNS = ("serial", "secret")


@dataclass(frozen=True)
class VendorSecrets:
    """Secrets by serial, the file row of each, and the faults of the file."""

    secrets: dict[str, str]
    rows: dict[str, int]
    faults: list[Fault] = field(default_factory=list)

    def sound(self) -> dict[str, str]:
        """Return the secrets whose cells have no fault: no other is worth comparing with what is registered."""
        faulty = {fault.row for fault in self.faults if fault.column == "secret"}
        return {serial: secret for serial, secret in self.secrets.items() if self.rows[serial] not in faulty}


def read_vendor_file(raw: bytes, watches: Sequence[WatchRow], file: str = "vendor file") -> VendorSecrets:
    """Return the secrets of a vendor's file, and its faults as ones of the file of this name.

    Each serial must be in the list of watches and occur once. A missing secret is checked at registration, because the
    watch may already be registered. Raises SheetRefusedError for a file that is not a list of secrets.
    """
    faults: list[Fault] = []
    rows = read_sheet(raw, required=_COLUMNS, as_is=("secret",), capitals=("serial",), collected=faults)
    listed = {watch.serial: watch for watch in watches}
    faults += repeated_cells(rows, "serial", "serial_repeated")
    for row in rows:
        if not is_serial(row.cells["serial"]):
            faults.append(row.fault("serial", "serial_malformed", "A serial has 4 to 20 characters of A-Z and 0-9."))
        elif row.cells["serial"] not in listed:
            faults.append(row.fault("serial", "serial_unlisted", "This serial is not in the list of watches."))
    faults += secret_faults(
        [
            OfferedSecret(row.number, serial, listed[serial].imei if serial in listed else None, row.cells["secret"])
            for row in rows
            for serial in [row.cells["serial"]]
        ]
    )
    return VendorSecrets(
        {row.cells["serial"]: row.cells["secret"] for row in rows},
        {row.cells["serial"]: row.number for row in rows},
        of_file(first_faults(faults), file),
    )


def read_prepared_file(file: Path, watches: Sequence[WatchRow]) -> VendorSecrets | None:
    """Return the secrets of a file that an earlier run wrote for these watches, or None if the file does not exist.

    Raises SheetRefusedError, VendorFileFailedError.
    """
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise VendorFileFailedError(_reason(error)) from error
    return read_vendor_file(raw, watches, file.name)


def new_factory_secret() -> str:
    """Return a 256-bit secret; its first character is a letter or digit, so that no spreadsheet reads a formula."""
    while True:
        secret = new_secret()
        if secret[0].isalnum():
            return secret


def write_vendor_file(file: Path, secrets: Mapping[str, str]) -> None:
    """Write the secrets for the vendor; an existing file is never overwritten. Raises VendorFileFailedError.

    On return the complete file is on disk under its name, readable by its owner only.
    """
    text = io.StringIO()
    # Lines end in LF: with CRLF, a vendor's shell tools would append the CR to the secret.
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted(secrets.items()))
    # The process id makes the name unique: the remainder of a killed process holds no accepted secret and blocks none.
    coming = file.with_name(f".{file.name}.{os.getpid()}.coming")
    try:
        with contextlib.suppress(FileNotFoundError):
            coming.unlink()
        descriptor = os.open(coming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
                out.write(text.getvalue())
                out.flush()
                os.fsync(out.fileno())
            _name(coming, file)
        finally:
            coming.unlink(missing_ok=True)
        _sync_folder(file.parent)
    except OSError as error:
        raise VendorFileFailedError(_reason(error)) from error


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _name(coming: Path, file: Path) -> None:
    """Give the complete file its final name; a hard link fails if the name exists, a rename would replace the file."""
    try:
        os.link(coming, file)
    except FileExistsError:
        raise
    except OSError:
        # FAT and exFAT volumes, such as USB sticks, support no hard links.
        if file.exists():
            raise FileExistsError(17, "File exists") from None
        coming.rename(file)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot sync a folder; the file itself is on the disk
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
