"""Write the records of the simulated parent from the OpenAPI document of the API.

``make records`` writes services/device_sim/parent/records.py; a test compares file and document. The simulated parent
must not import the API, and records written by hand drift from it.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).resolve().parents[1]
_MODULE: Final = _CHECKOUT / "services" / "device_sim" / "parent" / "records.py"
# The record's name and the component of the document that it is made from; components that these refer to follow.
RECORDS: Final = {
    "CodeSent": "LoginCodeResponse",
    "Session": "TokenResponse",
    "Consent": "ConsentResponse",
    "ConsentText": "ConsentText",
    "PrivacyNotice": "PrivacyNoticeResponse",
    "Question": "Question",
    "Family": "MyFamily",
    "MyInvitation": "MyInvitation",
    "Me": "MeResponse",
    "ChildWatch": "WatchOfChild",
    "Child": "ChildResponse",
    "Guardian": "GuardianResponse",
    "Invitation": "InvitationResponse",
    "Contact": "ContactResponse",
    "ContactList": "ContactListResponse",
    "Pairing": "PairingResponse",
    "Upload": "UploadResponse",
    "Unheard": "UnheardCount",
    "Message": "MessageResponse",
    "MessagePage": "MessagesResponse",
    "Latest": "LatestPlaceResponse",
    "Seen": "LatestFix",
    "Day": "DayResponse",
    "Zone": "ZoneResponse",
    "Alert": "AlertResponse",
    "AlertPage": "AlertsResponse",
    "GivenCommand": "CommandResponse",
    "Settings": "WatchSettingsResponse",
    "Availability": "AvailabilityResponse",
    "SessionShown": "MySession",
    "WaitingLogIn": "WaitingLogIn",
}
_TYPES: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS: Final = {"date-time": "datetime", "date": "date"}
# Python fields whose JSON name is a keyword.
_FIELD_NAMES: Final = {"from": "sender"}
# Never in a log or a traceback: what opens an account, what was said, where somebody is, who can be called.
_HIDDEN: Final = re.compile(r"^(.*_token|.*_secret|text|lat|lon|shape|track|phone|number)$")
_HEAD: Final = '''"""Answers of the API as records. Made from its OpenAPI document: `make records`. Do not edit.

Fields of later versions are ignored.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

'''


class Records:
    """The text of the module, made from one document."""

    def __init__(self, components: dict[str, Any]) -> None:
        self._components = components
        self._names = {component: name for name, component in RECORDS.items()}

    def text(self) -> str:
        """Return the whole module: each record stands below those that it refers to."""
        ordered: list[str] = []
        for component in RECORDS.values():
            self._visit(component, ordered)
        return _HEAD + "\n\n".join(self._record(component) for component in ordered)

    def _visit(self, component: str, ordered: list[str]) -> None:
        if component in ordered:
            return
        for referred in _references(self._components[component]):
            self._visit(referred, ordered)
        ordered.append(component)

    def _name(self, component: str) -> str:
        # FastAPI writes the module into the name where two components have the same one.
        short = component.rpartition("__")[2]
        return self._names.get(component, short.removesuffix("Response"))

    def _record(self, component: str) -> str:
        schema = self._components[component]
        required = set(schema.get("required", ()))
        fields = sorted(schema["properties"].items(), key=lambda field: field[0] not in required)
        lines = [
            "@dataclass(frozen=True)",
            f"class {self._name(component)}:",
            f'    """``{component}`` of the API."""',
            "",
        ]
        lines += [self._field(name, field, is_required=name in required) for name, field in fields]
        return "\n".join(lines) + "\n"

    def _field(self, name: str, schema: dict[str, Any], *, is_required: bool) -> str:
        python_name = _FIELD_NAMES.get(name, name)
        kind = self._kind(schema)
        if not is_required and "None" not in kind:
            kind += " | None"
        options = [f'alias="{name}"'] if python_name != name else []
        options += ["repr=False"] if _HIDDEN.match(name) else []
        if options:
            kind = f"Annotated[{kind}, Field({', '.join(options)})]"
        if keyword.iskeyword(python_name):
            message = f"{name} is a keyword of Python: give it a name in _FIELD_NAMES"
            raise ValueError(message)
        return f"    {python_name}: {kind}" + ("" if is_required else " = None")

    def _kind(self, schema: dict[str, Any]) -> str:
        """Return the Python type of a schema."""
        if "$ref" in schema:
            return self._name(schema["$ref"].rpartition("/")[2])
        union = schema.get("anyOf") or schema.get("oneOf")
        if union:
            return " | ".join(dict.fromkeys(self._kind(member) for member in union))
        kind = schema.get("type", "string" if isinstance(schema.get("const"), str) else "")
        if kind == "array":
            return f"list[{self._kind(schema.get('items', {}))}]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self._kind(values) if isinstance(values, dict) else 'Any'}]"
        return _FORMATS.get(schema.get("format", "")) or _TYPES.get(kind, "Any")


def _references(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def records_module() -> str:
    """Return the module as it is committed, formatted."""
    sys.path.insert(0, str(_CHECKOUT))
    from tests.support.api_routes import app_without_database  # noqa: PLC0415 - a script of the checkout

    text = Records(app_without_database().openapi()["components"]["schemas"]).text()
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(_MODULE), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=_CHECKOUT).stdout


def main() -> None:
    """Print the module, or write it with ``--write``."""
    if sys.argv[1:] == ["--write"]:
        _MODULE.write_text(records_module(), encoding="utf-8")
    else:
        print(records_module(), end="")


if __name__ == "__main__":
    main()
