"""What can go wrong with blobs; none of it is a caller's fault."""

from __future__ import annotations


class BlobMissingError(Exception):
    """There is no such object."""


class BlobBrokenError(Exception):
    """An object does not open: another key, another name, or altered bytes."""


class BlobExistsError(Exception):
    """There is such an object already; ids are random and used once."""


class BlobGoneError(Exception):
    """What was reserved has been given up: it waited for longer than anything may."""


class BlobStoreAwayError(Exception):
    """The store cannot be reached, is full, or did not answer in time: the same may work later."""
