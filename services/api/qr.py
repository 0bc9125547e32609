"""QR codes as pictures for pages."""

import io

import segno


def qr_svg(text: str) -> str:
    """Return the QR code of a text as an SVG element, with its quiet zone and without a ground."""
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(picture, kind="svg", xmldecl=False, scale=4)
    return picture.getvalue().decode()
