"""The numbered sentences: unique, all in the document, and none without a step or a rule that can see it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from services.protocol.asyncapi import document
from services.protocol.contract import SENTENCES, sentences_of
from services.protocol.prose import DESCRIPTION
from services.protocol.sentences import Section, Side, numbered, watch

_CHECKS = Path(__file__).parents[3] / "services" / "device_sim" / "conformance"
# Not judged by a check: a promise that no step waits for, TLS at the tester's computer, what only other parts see.
_UNSEEN = {"C14", "C17", "C21"}


def test_each_number_stands_once_and_in_the_document() -> None:
    assert len(SENTENCES) == len(sentences_of(Side.WATCH)) + len(sentences_of(Side.BACKEND))
    for number, sentence in SENTENCES.items():
        assert DESCRIPTION.count(f"- **{number}** ({sentence.side}) ") == 1
    assert [entry["number"] for entry in document()["x-sentences"]] == list(SENTENCES)
    with pytest.raises(ValueError, match="two sentences X1"):
        numbered((Section("x", (watch("X1", "a"), watch("X1", "b"))),))


def test_every_sentence_can_be_seen() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in _CHECKS.glob("*.py"))
    named = set(re.findall(r'"([A-Z][0-9]{1,2})"', source))
    unseen = set(SENTENCES) - named
    assert unseen == _UNSEEN
    assert json.dumps(sorted(named - set(SENTENCES))) == "[]"
