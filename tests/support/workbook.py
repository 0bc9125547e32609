"""Read a workbook of ours, cell by cell."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree as ET


def sheets(raw: bytes) -> dict[str, list[list[tuple[str, str | None]]]]:
    """Return each sheet's rows as (type, value); ``s`` is a shared string, ``n`` a number, ``b`` true or false."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        shared = ["".join(part.text or "" for part in item.iter(f"{space}t"))
                  for item in ET.fromstring(book.read("xl/sharedStrings.xml"))]  # noqa: S314 - our own file  # fmt: skip
        names = [sheet.attrib["name"] for sheet in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{space}sheet")]  # noqa: S314
        sheets = {}
        for number, name in enumerate(names, start=1):
            page = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314
            assert not list(page.iter(f"{space}f")), "a formula"
            rows = []
            for row in page.iter(f"{space}row"):
                cells = []
                for cell in row.iter(f"{space}c"):
                    value = cell.findtext(f"{space}v")
                    kind = cell.attrib.get("t", "n")
                    cells.append((kind, shared[int(value or 0)] if kind == "s" else value))
                rows.append(cells)
            sheets[name] = rows
    return sheets
