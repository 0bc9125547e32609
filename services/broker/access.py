"""The file that confines every watch to its own topics: never rewritten, verified before every start and signal."""

from __future__ import annotations

import hashlib
from pathlib import Path

from services.broker.configuration import SHIPPED
from services.broker.errors import AccessFileBrokenError, DescriptorsExhaustedError
from services.broker.files import Owner, replace_file
from services.core.platform.descriptors import is_exhaustion

# The hash stands in the code so that a checkout with a damaged file fails closed instead of shipping the damage.
ACCESS_SHA256 = "7fec09cea17165d660cc6b44bd334dfda2672ea1e047e4772290e9ef190d91a1"


def verify_access(path: Path, owner: Owner | None, shipped: Path = SHIPPED / "acl") -> bool:
    """Make sure that ``path`` is the shipped access file; return whether it had to be restored.

    Mosquitto, signalled while this file is missing or malformed, lets every watch read and write every topic
    (measured on 2.0.11). Raises AccessFileBrokenError when it cannot be restored: the caller then stops Mosquitto.
    Raises DescriptorsExhaustedError when nothing is known to be wrong: the caller tries again.
    """
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == ACCESS_SHA256:
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
        raise AccessFileBrokenError(shipped, "the shipped access file cannot be read") from error
    if hashlib.sha256(content).hexdigest() != ACCESS_SHA256:
        raise AccessFileBrokenError(shipped, "the shipped access file is not the one this version was made with")
    try:
        replace_file(path, content, owner)
    except OSError as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        raise AccessFileBrokenError(path, "the access file cannot be restored") from error
    return True
