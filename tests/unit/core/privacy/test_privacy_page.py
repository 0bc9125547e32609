"""docs/privacy.md says what the settings say, and names only what there is."""

from __future__ import annotations

import re
from pathlib import Path

from services.core.people.consents.ages import ages_of
from services.core.platform.settings import Settings
from tests.support.api_routes import app_without_database, declared_routes

CHECKOUT = Path(__file__).parents[4]
PAGE = (CHECKOUT / "docs" / "privacy.md").read_text(encoding="utf-8")
SPAN = re.compile(
    r"^\| [^|]+ \| (?P<count>\d+) (?P<unit>days|hours) \| `SMARTWATCH_(?P<setting>KEEP_\w+)` \|$", re.MULTILINE
)


def test_every_span_of_the_settings_is_on_the_page_with_its_default() -> None:
    table = {row["setting"].lower(): (int(row["count"]), row["unit"]) for row in SPAN.finditer(PAGE)}
    spans = {name: field.default for name, field in Settings.model_fields.items() if name.startswith("keep_")}
    assert table == {name: (count, name.rpartition("_")[2]) for name, count in spans.items()}


def test_every_address_on_the_page_is_served() -> None:
    served = {route.path for route in declared_routes(app_without_database())}
    named = set(re.findall(r"`(/v1/[^`]+)`", PAGE))
    assert len(named) > 3
    assert named <= served


def test_every_page_and_file_it_points_to_exists() -> None:
    for page in ("privacy.md", "security.md"):
        text = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
        pointed = re.findall(r"\]\(([^)#]+)\)", text)
        assert [path for path in pointed if not (CHECKOUT / "docs" / path).exists()] == []
        assert [path for path in re.findall(r"`(services/[^`]+)`", text) if not (CHECKOUT / path).exists()] == []


def test_it_names_the_countries_that_are_served() -> None:
    for country, name in {"CN": "China", "VN": "Vietnam", "TR": "Turkey"}.items():
        assert name in PAGE
        assert ages_of(country) != ages_of(None)
