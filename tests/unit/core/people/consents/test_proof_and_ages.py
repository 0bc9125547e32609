"""Proof of consent, and the age from which the child's own word is required."""

from __future__ import annotations

from datetime import date

import pytest

from services.core.people.consents.ages import age_on, ages_of, is_asked
from services.core.people.consents.errors import ConsentProofError
from services.core.people.consents.rules import How, Proof, check_proof
from services.core.platform.text_rules import TextNotAllowedError

BORN = date(2016, 2, 29)


@pytest.mark.parametrize(
    "proof",
    [Proof(), Proof(How.SPOKEN, witness="Zhang Wei"), Proof(How.PAPER, witness="Zhang Wei", form_number="DG1-0042")],
)
def test_consent_with_all_that_proves_it_is_taken(proof: Proof) -> None:
    assert check_proof(proof) == proof


@pytest.mark.parametrize(
    ("proof", "field"),
    [
        (Proof(How.SPOKEN), "witness"),
        (Proof(How.SPOKEN, witness="Zhang Wei", form_number="1"), "form_number"),
        (Proof(How.PAPER, witness="Zhang Wei"), "form_number"),
        (Proof(How.PAPER, form_number="DG1-0042"), "witness"),
        (Proof(How.PAPER, witness="   ", form_number="DG1-0042"), "witness"),
        (Proof(How.APP, witness="Zhang Wei"), "witness"),
        (Proof(How.APP, form_number="DG1-0042"), "form_number"),
    ],
)
def test_consent_without_it_or_with_more_is_refused_and_says_what(proof: Proof, field: str) -> None:
    with pytest.raises(ConsentProofError) as refused:
        check_proof(proof)
    assert refused.value.fields() == {"how": proof.how.value, "field": field}


def test_a_witness_is_written_like_a_name() -> None:
    with pytest.raises(TextNotAllowedError):
        check_proof(Proof(How.SPOKEN, witness="Zhang\u202eWei"))


@pytest.mark.parametrize(
    ("today", "age"),
    [(date(2029, 2, 28), 12), (date(2029, 3, 1), 13), (date(2032, 2, 28), 15), (date(2032, 2, 29), 16)],
)
def test_age_is_counted_in_whole_years(today: date, age: int) -> None:
    assert age_on(BORN, today) == age


@pytest.mark.parametrize(
    ("country", "asked_from"),
    [("CN", 14), ("VN", 7), ("TR", 18), ("US", 13), ("DE", 16), (None, 16), ("default", 16)],
)
def test_the_childs_own_word_is_asked_for_at_the_age_of_its_country(country: str | None, asked_from: int) -> None:
    birthday = date(2010 + asked_from, 5, 4)
    born = date(2010, 5, 4)
    assert not is_asked(born, birthday.replace(day=3), country)
    assert is_asked(born, birthday, country)
    assert not is_asked(None, birthday, country)
    assert len(ages_of(country).source) > 20
