"""Fields that schemas of guardians and of staff share."""

from typing import Annotated

from pydantic import Field

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

# Secrets of ours are URL-safe base64.
SECRET_PATTERN = r"^[A-Za-z0-9_-]+$"  # noqa: S105 - what secrets look like
