"""Reader of a delivery list: the watches of one site together with their vendor-supplied secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.core.devices.watches.rules import OPTIONAL_COLUMNS, WatchRow, watches_of
from services.core.office.registration.factory_secrets import OfferedSecret, secret_faults
from services.core.office.registration.vendor_file import VendorSecrets
from services.core.platform.spreadsheets.sheets import Fault, filled, read_sheet

_REQUIRED: Final = ("serial", "model")
_OPTIONAL: Final = ("site", "secret", *OPTIONAL_COLUMNS)


@dataclass(frozen=True)
class Delivery:
    """The watches of a delivery list, their secrets by serial, and every fault that the file alone reveals."""

    watches: list[WatchRow]
    offered: VendorSecrets
    faults: list[Fault]


def read_delivery(raw: bytes, site: str) -> Delivery:
    """Return the watches of a list for one site, and the faults that the file alone reveals.

    A missing secret is checked at registration, because the watch may already be registered. Raises SheetRefusedError
    for a file that is not such a list.
    """
    faults: list[Fault] = []
    listed = read_sheet(
        raw, required=_REQUIRED, optional=_OPTIONAL, as_is=("secret",), capitals=("serial",), collected=faults
    )
    rows = filled(listed, "site", site)
    faults += [
        row.fault("site", "site_differs", "The list is imported for one site, but this row names another.")
        for row in rows
        if row.cells["site"] != site
    ]
    with_secret = [row for row in rows if row.cells["secret"]]
    faults += secret_faults(
        [
            OfferedSecret(row.number, row.cells["serial"], row.cells["imei"] or None, row.cells["secret"])
            for row in with_secret
        ]
    )
    watches = watches_of(rows, faults)
    return Delivery(
        watches.rows,
        VendorSecrets(
            {row.cells["serial"]: row.cells["secret"] for row in with_secret},
            {row.cells["serial"]: row.number for row in with_secret},
            [fault for fault in watches.faults if fault.column == "secret"],
        ),
        watches.faults,
    )
