"""A file in a request: the raw body, or one field of a form, as browsers and HTTP libraries send files."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from services.core.platform.errors import CoreError

FORM_TYPE: Final = "multipart/form-data"


class _InMemory(MultiPartParser):
    """Keeps the form in memory: a recording or a list never reaches a disk unsealed. The middleware bounds the body."""

    spool_max_size = 4 * 1024 * 1024


class FormFieldMissingError(CoreError):
    """A form without its field; the answer names the field."""

    code = "form_field_missing"
    sentence = "Send the file in the form field that `field` names."

    def __init__(self, field: str) -> None:
        super().__init__()
        self._field = field

    def fields(self) -> dict[str, int | str]:
        """Return the name of the field."""
        return {"field": self._field}


async def read_file(request: Request, field: str) -> bytes:
    """Return the file in a raw body, or in this field of a form.

    Raises HTTPException 400 for a broken form, FormFieldMissingError.
    """
    if not request.headers.get("content-type", "").lower().startswith(FORM_TYPE):
        return await request.body()
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=4).parse()
    except (MultiPartException, KeyError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    try:
        upload = form.get(field)
        if not isinstance(upload, UploadFile):
            raise FormFieldMissingError(field)
        return await upload.read()
    finally:
        await form.close()
