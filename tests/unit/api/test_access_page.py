"""docs/access-matrix.md is what the expectations say, and every declared rule has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.access_expectations import OF_STAFF, Role, Target, cells, expected, page

PAGE = Path(__file__).parents[3] / "docs" / "access-matrix.md"


def test_the_page_is_what_the_expectations_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "write it anew: python -m tests.support.access_expectations > docs/access-matrix.md"


def test_every_rule_refuses_somebody_and_lets_somebody_through() -> None:
    every = cells()
    for rule in {cell.rule for cell in every} - {"open"}:
        answers = {cell.expected is None for cell in every if cell.rule == rule}
        # Links have tests of their own: nobody's access token is one.
        assert answers == ({False} if rule.startswith("signed link") else {True, False}), rule


def test_a_rule_that_nobody_has_thought_about_is_noticed() -> None:
    with pytest.raises(ValueError, match="no expectation"):
        expected("of watch, any right", Role.FIRST, Target.OWN)


def test_nothing_of_anothers_is_open_to_anybody_and_nothing_of_families_to_staff() -> None:
    for cell in cells():
        if cell.target in {Target.ELSEWHERE, Target.ERASED, Target.UNKNOWN} and cell.rule.startswith(("of", "in")):
            assert cell.expected is not None, str(cell.route)
            assert cell.expected.status in {401, 403, 404}
        if cell.role in OF_STAFF and cell.rule.startswith(("of child", "in family")):
            assert cell.expected is not None, str(cell.route)
