"""Every file that a page names exists: a move of code takes the pages along."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PAGES = sorted(
    [*(CHECKOUT / "docs").rglob("*.md"), *CHECKOUT.glob("*.md"), *(CHECKOUT / "services").rglob("README.md"),
     *(CHECKOUT / "infra").glob("*.md"), *(CHECKOUT / "tests").rglob("README.md")]
)  # fmt: skip
NAMED = re.compile(r"(?<![\w/.-])(?P<path>(?:services|tests|infra|mosquitto|docs)/[\w/.-]*\w/?)")
LINK = re.compile(r"\]\((?P<target>[^)#:]+)(#[^)]*)?\)")
MADE_AT_RUN_TIME = {"infra/secrets.env", "infra/sms.env"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    named = {match["path"] for match in NAMED.finditer(text)} - MADE_AT_RUN_TIME
    missing = sorted(path for path in named if not (CHECKOUT / path).exists())
    missing += [
        match["target"] for match in LINK.finditer(text) if not (page.parent / match["target"].strip()).exists()
    ]
    assert not missing, f"{page.relative_to(CHECKOUT)} names what is not there: {missing}"
