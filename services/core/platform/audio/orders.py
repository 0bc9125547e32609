"""The messages between a template of decoders and its owner: a letter and a number."""

from __future__ import annotations

import struct
from typing import Final

FORK: Final = b"F"
KILL: Final = b"K"
ENDED: Final = b"E"
MESSAGE: Final = struct.Struct(">cI")
