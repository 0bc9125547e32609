"""Brings PgBouncer with its libraries from Debian 13 into a folder of the checkout, for the tests of a pooler."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from services.devstack.debian13 import Debian13Program, wrap_programs


def _prepare(root: Path) -> None:
    wrap_programs(root, [root / "usr/sbin/pgbouncer"])


# 26 MB unpacked. Debian 12 has 1.18, which knows no prepared statements.
PGBOUNCER: Final = Debian13Program(
    title="PgBouncer", package="pgbouncer", folder="pgbouncer-1.24", layout=1, download_mb=12, prepare=_prepare,
    needed=re.compile(
        r"gcc-14-base|zlib1g|pgbouncer"
        r"|lib(c6|gcc-s1|crypt1|ssl3|cares2|event|systemd0|pam0g|audit1|cap|zstd1|lzma5)\S*"
    ),
)  # fmt: skip
