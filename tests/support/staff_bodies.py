"""A body that each staff route would take, so that a refusal is about who asks and nothing else."""

from __future__ import annotations

from typing import Any

_LOG_IN = {"email": "ming@wecare.example", "password": "x", "code": "482913"}
STAFF_BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/staff/auth/set-up": {"email": "ming@wecare.example", "password": "x"},
    "POST /v1/staff/auth/set-up/confirm": {**_LOG_IN, "new_password": "river-window-copper-5-maps"},
    "POST /v1/staff/auth/tokens": _LOG_IN,
    "POST /v1/staff/auth/refresh": {"refresh_token": "x"},
    "POST /v1/staff/sites/{site_id}/watch-hand-outs": {"scan": "smartwatch:serial:NONE0001", "family_code": "F-0"},
    "POST /v1/staff/sites/{site_id}/watch-hand-outs/paper": {
        "pairs": [{"scan": "NONE0001", "family_code": "F-0"}], "given_at": "2026-02-01T09:00:00Z", "dry_run": True,
    },
    "POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/prolong": {"closes_at": "2026-02-01T09:00:00Z"},
    "POST /v1/staff/sites/{site_id}/watch-withdrawals": {"scan": "NONE0001", "state": "lost"},
    "POST /v1/staff/sites/{site_id}/watch-traces": {"scan": "NONE0001"},
    "POST /v1/staff/sites/{site_id}/watch-replacements": {
        "scan": "NONE0001", "state": "lost", "replacement": "NONE0002",
    },
    "POST /v1/staff/sites/{site_id}/family-lists": {
        "families": [{"family_code": "F-0", "phone": "13800138000", "cohort": "Spring"}], "dry_run": True,
    },
    "POST /v1/staff/sites/{site_id}/trainings": {
        "family_code": "F-0", "training": "watch", "attended_on": "2026-02-01",
    },
    "POST /v1/staff/sites/{site_id}/enrolments/end": {"family_code": "F-0", "reason": "other"},
    "POST /v1/staff/sites/{site_id}/contact-requests": {"family_code": "F-0"},
    "POST /v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices": {"text": "Family day on Sunday"},
    "POST /v1/staff/sites/{site_id}/cohorts": {"name": "Autumn"},
    "PUT /v1/staff/sites/{site_id}/privacy-notice": {
        "controller_name": "Programme Office",
        "processors": [{"name": "Text Messages Ltd", "country": "CN", "purpose": "text messages"}],
    },
    "POST /v1/staff/programmes/{programme_id}/sites": {
        "name": "North", "country": "VN", "timezone": "Asia/Ho_Chi_Minh", "locale": "vi",
    },
    "POST /v1/staff/programmes/{programme_id}/surveys": {
        "name": "2026", "questions": [{"question": "stay", "kind": "yes_no", "label": "Do you mean to stay?"}],
    },
    "PUT /v1/staff/programmes/{programme_id}/end": {"ends_on": None},
    "POST /v1/staff/exports": {
        "kind": "csv", "audience": "factory", "site_id": "00000000-0000-4000-8000-000000000000",
    },
    "POST /v1/staff/dhis2-imports": {
        "programme_id": "00000000-0000-4000-8000-000000000000", "data_elements": {"messages": "fbfJHSPpUQD"},
        "org_units": {"00000000-0000-4000-8000-000000000000": "DiszpKrYNg8"}, "check_only": True,
    },
    "POST /v1/staff/accounts": {
        "email": "lan@wecare.example", "display_name": "Lan", "role": "staff", "phone": "+8613900000009",
        "employed_by_factory": False,
        "site_id": "00000000-0000-4000-8000-000000000000",
    },
    "POST /v1/staff/accounts/{staff_id}/reset": {},
    "POST /v1/staff/accounts/{staff_id}/role": {"role": "manager"},
    "POST /v1/staff/me/password": {
        "password": "x", "code": "482913", "new_password": "river-window-copper-5-maps",
    },
    "POST /v1/staff/me/recovery-codes": {"password": "x", "code": "482913"},
    "POST /v1/staff/sites/{site_id}/families/{family_code}/recoveries": {
        "kind": "phone", "phone": "+8613900000007", "new_phone": "+8613900000008", "form_number": "2026-0417",
        "document": "identity_card",
    },
    "POST /v1/staff/sites/{site_id}/recoveries/{recovery_id}/approve": {
        "form_number": "2026-0417", "document": "identity_card",
    },
    "POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision": {
        "upholds": True, "form_number": "2026-0417", "document": "identity_card",
    },
    "POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision/approve": {
        "form_number": "2026-0417", "document": "identity_card",
    },
    "POST /v1/staff/sites/{site_id}/hand-outs": {"families": 50, "minutes": 90},
    "POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/slips": {"family_codes": ["DG1-017"]},
    "POST /v1/staff/sites/{site_id}/families/{family_code}/break-glass": {"reason": "The child is missing."},
}  # fmt: skip
