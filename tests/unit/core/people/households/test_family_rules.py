"""Right to give rights, and the bounds of a family."""

from __future__ import annotations

from datetime import date

import pytest

from services.core.people.households.errors import (
    BirthYearInvalidError,
    PrimaryGuardianError,
    RelationUnknownError,
    RightNotYoursError,
)
from services.core.people.households.rules import (
    PRIMARY_RIGHTS,
    RELATIONS,
    Right,
    Rights,
    Standing,
    check_birth_year,
    check_change_of,
    check_grant,
    check_relation,
)
from services.protocol.words import Relation

NOTHING = Rights(may_message=False)
EVERYTHING = Rights(may_message=True, may_locate=True, may_manage=True)
PRIMARY = Standing(PRIMARY_RIGHTS, is_primary=True)
MANAGER = Standing(Rights(may_manage=True), is_primary=False)


def test_location_is_off_until_somebody_turns_it_on() -> None:
    assert not Rights().may_locate
    assert not PRIMARY_RIGHTS.may_locate


def test_the_first_guardian_gives_every_right_and_others_only_their_own() -> None:
    check_grant(PRIMARY, NOTHING, EVERYTHING)
    check_grant(MANAGER, NOTHING, Rights(may_message=True, may_manage=True))
    with pytest.raises(RightNotYoursError):
        check_grant(MANAGER, NOTHING, EVERYTHING)


def test_taking_away_and_leaving_a_right_needs_nothing_but_to_manage() -> None:
    check_grant(MANAGER, EVERYTHING, NOTHING)
    check_grant(MANAGER, EVERYTHING, EVERYTHING)


def test_a_guardian_gives_themselves_nothing_new() -> None:
    with pytest.raises(RightNotYoursError):
        check_grant(Standing(Rights(), is_primary=False), Rights(), Rights(may_manage=True))


def test_the_first_guardian_is_reduced_by_nobody_and_keeps_managing() -> None:
    with pytest.raises(PrimaryGuardianError):
        check_change_of(PRIMARY, PRIMARY_RIGHTS, by_themselves=False)
    with pytest.raises(PrimaryGuardianError):
        check_change_of(PRIMARY, Rights(may_manage=False), by_themselves=True)
    check_change_of(PRIMARY, EVERYTHING, by_themselves=True)
    check_change_of(MANAGER, NOTHING, by_themselves=False)


def test_rights_are_told_as_words() -> None:
    assert EVERYTHING.words() == {"message", "locate", "manage"}
    assert [right for right in Right if NOTHING.has(right)] == []


def test_relations_are_the_words_that_watches_know() -> None:
    assert list(RELATIONS) == [word.value for word in Relation]
    assert check_relation("mother") == "mother"
    with pytest.raises(RelationUnknownError):
        check_relation("Mother")


def test_a_child_is_at_most_eighteen() -> None:
    today = date(2026, 3, 2)
    assert check_birth_year(None, today) is None
    assert check_birth_year(2008, today) == 2008
    assert check_birth_year(2026, today) == 2026
    for year in (2007, 2027, -1, 2**70):
        with pytest.raises(BirthYearInvalidError):
            check_birth_year(year, today)
