"""Fonts of printed papers: Latin, Vietnamese, Turkish, and Chinese up to the mandatory part of GB 18030.

The files are vendored (``fonts.json``: version, source, licence, hash), because no Python package carries them. Only
the module that draws papers reads them: a process that prints nothing pays nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
# In the order in which a character is looked for.
REGULAR: Final = FOLDER / "NotoSans-Regular.ttf"
BOLD: Final = FOLDER / "NotoSans-Bold.ttf"
CHINESE: Final = FOLDER / "NotoSansSC-Regular.ttf"
SYMBOLS: Final = FOLDER / "NotoSansMath-subset.ttf"


@cache
def printable_characters() -> frozenset[int]:
    """Return every code point that a paper can show; reads the fonts once (0.1 s)."""
    # fontTools is slow to import, and few processes print.
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - see above

    points: set[int] = set()
    for file in (REGULAR, CHINESE, SYMBOLS):
        with TTFont(file, lazy=True) as font:
            points |= (font.getBestCmap() or {}).keys()
    return frozenset(points)
