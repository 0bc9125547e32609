"""A body that each staff route would take, so that a refusal is about who asks and nothing else."""

from __future__ import annotations

from typing import Any

_LOG_IN = {"email": "ming@wecare.example", "password": "x", "code": "482913"}
STAFF_BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/staff/auth/set-up": {"email": "ming@wecare.example", "password": "x"},
    "POST /v1/staff/auth/set-up/confirm": _LOG_IN,
    "POST /v1/staff/auth/tokens": _LOG_IN,
    "POST /v1/staff/auth/refresh": {"refresh_token": "x"},
    "POST /v1/staff/accounts": {
        "email": "lan@wecare.example", "display_name": "Lan", "role": "staff",
        "site_id": "00000000-0000-4000-8000-000000000000",
    },
}  # fmt: skip
