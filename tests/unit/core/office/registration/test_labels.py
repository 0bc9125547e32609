"""A label shows the serial and nothing else."""

import zlib
from re import DOTALL, findall

import segno

from services.core.office.registration.labels import label_sheet, qr_text


def drawn(pdf: bytes) -> str:
    """Return what the pages draw, unpacked."""
    streams = findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, DOTALL)
    return "\n".join(zlib.decompress(stream).decode("latin-1") for stream in streams)


def test_a_sheet_holds_24_labels_a_page() -> None:
    serials = [f"SW{number:06d}" for number in range(49)]
    pdf = label_sheet(serials)
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") == 3
    assert all(f"({serial}) Tj" in drawn(pdf) for serial in serials)


def test_the_qr_says_the_serial_and_is_drawn_module_by_module() -> None:
    content = drawn(label_sheet(["SW000001"]))
    matrix = segno.make(qr_text("SW000001"), error="m", micro=False).matrix
    runs = sum(1 for row in matrix for index, module in enumerate(row) if module and (index == 0 or not row[index - 1]))
    assert content.count(" re f") == runs
    assert qr_text("SW000001") == "smartwatch:serial:SW000001"


def test_the_longest_serial_fits_its_label() -> None:
    assert "(ABCDEFGHIJ0123456789) Tj" in drawn(label_sheet(["ABCDEFGHIJ0123456789"]))
