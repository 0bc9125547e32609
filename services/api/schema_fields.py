"""Fields that the schemas of guardians and of staff share."""

import unicodedata
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field

Phone = Annotated[
    str, Field(min_length=4, max_length=32, examples=["+8613800138000"], description="E.164, or as written locally")
]

Country = Annotated[
    str,
    Field(
        pattern=r"^[A-Z]{2}$",
        examples=["CN"],
        description="ISO 3166-1; read beside a number without country code",
    ),
]


def written_time(given: object) -> object:
    """Return a time that is written as text, unchanged; raises ValueError for a number.

    A bare number could mean seconds or milliseconds, so only ISO 8601 text with an offset is accepted.
    """
    if given is not None and not (isinstance(given, str) and given[4:5] == "-"):
        message = "a time is written 2026-03-02T18:00:00+08:00"
        raise ValueError(message)
    return given


WrittenTime = Annotated[AwareDatetime, BeforeValidator(written_time)]
"""Every time that a body brings: ISO 8601 text with an offset."""

# Secrets of this API are URL-safe base64.
SECRET_PATTERN = r"^[A-Za-z0-9_-]+$"  # noqa: S105 - what secrets look like

_DASHES = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d")


def read_typed_code(value: object) -> object:
    """Return a code as it was issued, from what was typed, pasted or scanned; anything but text unchanged.

    Drops spaces, dashes and invisible characters; folds digits and letters of other widths and scripts. Of a scanned
    address (``https://host/pair#482913``, ``.../log-in#slip=k3mq-q2x7``) the code is what follows ``#`` and ``=``.
    """
    if not isinstance(value, str):
        return value
    code = value.rpartition("#")[2].rpartition("=")[2]
    kept = (
        character
        for character in unicodedata.normalize("NFKC", code)
        if not (character.isspace() or character in _DASHES or unicodedata.category(character) == "Cf")
    )
    return "".join(str(unicodedata.decimal(character)) if character.isdecimal() else character for character in kept)


TypedCode = BeforeValidator(read_typed_code)
"""Put this into the annotation of every field that holds a code which people type."""
