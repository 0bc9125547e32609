"""The file that confines every watch to its own topics: never rewritten, verified before every start and signal."""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.broker.configuration import SHIPPED
from services.broker.errors import AccessFileBrokenError, DescriptorsExhaustedError
from services.broker.files import Owner, replace_file
from services.core.platform.descriptors import is_exhaustion

# The hash is part of the code so that a checkout with a damaged file fails closed instead of installing the damage.
ACCESS_SHA256 = "7fec09cea17165d660cc6b44bd334dfda2672ea1e047e4772290e9ef190d91a1"


def is_packaged_access(content: bytes) -> bool:
    """Return whether this is the content of the access file that this version ships."""
    return hashlib.sha256(content).hexdigest() == ACCESS_SHA256


def verify_access(path: Path, owner: Owner | None, shipped: Path = SHIPPED / "acl") -> bool:
    """Verify that ``path`` is the packaged access file, and return whether it had to be restored.

    Mosquitto, signalled while this file is missing or malformed, lets every watch read and write every topic
    (measured on 2.0.11). Raises AccessFileBrokenError when it cannot be restored: the caller then stops Mosquitto.
    Raises DescriptorsExhaustedError when the file could not be opened now: the caller tries again.
    """
    try:
        if is_packaged_access(path.read_bytes()):
            return False
    except OSError as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        # Missing, a folder, unreadable: restored below like any other damage.
    try:
        content = shipped.read_bytes()
    except OSError as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        raise AccessFileBrokenError(shipped, "the packaged access file cannot be read") from error
    if not is_packaged_access(content):
        raise AccessFileBrokenError(shipped, "the packaged access file is not the one of this version")
    try:
        replace_file(path, content, owner)
    except OSError as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        raise AccessFileBrokenError(path, "the access file cannot be restored") from error
    return True
