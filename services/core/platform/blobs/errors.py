"""Errors of the blob store; none of them is a caller's fault."""

from __future__ import annotations


class BlobMissingError(Exception):
    """There is no such object."""


class BlobBrokenError(Exception):
    """An object does not open: another key, another name, or altered bytes."""


class BlobExistsError(Exception):
    """There is such an object already; ids are random and used once."""


class BlobGoneError(Exception):
    """The reservation has lapsed: it waited longer than the maximum."""


class BlobStoreAwayError(Exception):
    """The store cannot be reached, is full, or did not answer in time: the same may work later."""
