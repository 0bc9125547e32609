"""Codes as people type, paste and scan them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.api.family.schemas.auth import LogInRequest, SecondStepRequest, SlipLogInRequest
from services.api.family.schemas.pairing import PairRequest
from services.api.schema_fields import read_typed_code
from services.api.staff.schemas.accounts import StaffLogInRequest

WRITTEN = [
    "128809",
    "128 809",
    " 128-809\n",
    "\uff11\uff12\uff18\uff18\uff10\uff19",
    "\u0661\u0662\u0668\u0668\u0660\u0669",
    "128\u00a0809",
    "128\u2013809",
    "\u202d128809\u202c",
    "128\u200b809",
    "https://api.example/pair#128809",
    "http://127.0.0.1:8080/pair#128 809",
    "https://api.example/log-in#code=128809",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_six_digits_are_read_however_they_are_written(written: str) -> None:
    assert PairRequest.model_validate({"code": written}).code == "128809"
    assert SecondStepRequest.model_validate({"watch_code": written}).watch_code == "128809"
    assert SecondStepRequest.model_validate({"pin": written}).pin == "128809"
    log_in = {"challenge_id": "0" * 32, "challenge_secret": "x", "phone": "+8613800138000", "code": written}
    assert LogInRequest.model_validate(log_in).code == "128809"
    staff = {"email": "a@b.example", "password": "x", "code": written}
    assert StaffLogInRequest.model_validate(staff).code == "128809"


@pytest.mark.parametrize(
    "written", ["k3mq-q2x7-abcd", "K3MQ Q2X7 ABCD", "https://api.example/log-in#slip=k3mq-q2x7-abcd"]
)
def test_a_slip_is_read_from_paper_and_from_its_address(written: str) -> None:
    read = SlipLogInRequest.model_validate({"slip_code": written, "phone": "+8613800138000"}).slip_code
    assert read.lower() == "k3mqq2x7abcd"


@pytest.mark.parametrize(
    "written", ["", "12880", "1288099", "12880a", "https://api.example/pair", "128.809", None, 128809]
)
def test_what_holds_no_code_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        PairRequest.model_validate({"code": written})


def test_anything_but_text_is_left_to_the_type() -> None:
    assert read_typed_code(5) == 5
