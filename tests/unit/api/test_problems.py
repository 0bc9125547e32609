"""Every refusal of the core has a status, and docs/problems.md says what each means."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import pytest

from services.api.problems import STATUS
from services.api.problems_page import problems_page
from services.core.platform.errors import CoreError, RetryLaterError

ROOT = Path(__file__).parents[3]


def _all_errors() -> Iterator[type[CoreError]]:
    for file in sorted((ROOT / "services" / "core").rglob("*.py")):
        if "CoreError" in file.read_text(encoding="utf-8"):
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    waiting = list(CoreError.__subclasses__())
    while waiting:
        class_ = waiting.pop()
        waiting += class_.__subclasses__()
        yield class_


def test_every_core_error_has_a_row_in_the_table() -> None:
    assert [error.__qualname__ for error in _all_errors() if error not in STATUS] == []


@pytest.mark.parametrize("error", sorted(STATUS, key=attrgetter("__qualname__")))
def test_each_has_a_stable_code_and_one_sentence(error: type[CoreError]) -> None:
    assert error.code.isascii()
    assert error.code == error.code.lower()
    assert error.sentence.endswith(".")
    # A transient fault is the only refusal that is not the caller's fault.
    assert 400 <= STATUS[error] < 500 or (STATUS[error] == 503 and issubclass(error, RetryLaterError))


def test_a_code_means_one_thing() -> None:
    by_code: dict[str, set[str]] = {}
    for error in STATUS:
        by_code.setdefault(error.code, set()).add(error.__qualname__)
    assert {code: names for code, names in by_code.items() if len(names) > 1} == {}


def test_the_page_of_problems_is_what_the_code_says() -> None:
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    assert page == problems_page(), "write it anew: python -m services.api.problems_page > docs/problems.md"
