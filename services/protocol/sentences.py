"""The sentences of the contract: one numbered list, from which the AsyncAPI text and every report of a check are made.

A number names its sentence for good: it stands in reports and in the notes of firmware makers. A sentence that is
dropped takes its number along; a new one gets the next free number of its letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """The side that a sentence obliges, and at which it is therefore checked."""

    WATCH = "watch"
    BACKEND = "backend"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One obligation of one side. `number` is stable, for example C3; `text` is Markdown."""

    number: str
    side: Side
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, its sentences, and `notes`: Markdown that obliges neither side (definitions, advice, tables)."""

    heading: str
    sentences: tuple[Sentence, ...]
    notes: str = ""

    def as_markdown(self) -> str:
        """Return the section; every sentence is a bullet that begins with its number and its side."""
        bullets = "\n".join(f"- **{entry.number}** ({entry.side}) {entry.text}" for entry in self.sentences)
        return "\n\n".join(part for part in (f"## {self.heading}", bullets, self.notes) if part)


def watch(number: str, text: str) -> Sentence:
    """Return a sentence that obliges the watch."""
    return Sentence(number, Side.WATCH, text)


def backend(number: str, text: str) -> Sentence:
    """Return a sentence that obliges the backend, its broker included."""
    return Sentence(number, Side.BACKEND, text)


def numbered(sections: tuple[Section, ...]) -> dict[str, Sentence]:
    """Return every sentence by its number, in order; raises ValueError for a number that occurs twice."""
    by_number: dict[str, Sentence] = {}
    for section in sections:
        for sentence in section.sentences:
            if sentence.number in by_number:
                raise ValueError(f"two sentences {sentence.number}")
            by_number[sentence.number] = sentence
    return by_number


INTRODUCTION: Final = """\
The messages between a watch and the backend, from the side of the watch: `send` is a publish of the watch, `receive` a
message to it. Plain MQTT is enough: a modem with AT commands, the OwnTracks app or `mosquitto_pub` can take part. The
contract only grows: a new optional field, word or kind may appear, none disappears.

Every sentence that obliges a side has a number, which never changes. `smartwatch sim check-watch` tells for each
sentence of the watch whether a watch holds it, and `smartwatch sim check-backend` does the same for a backend.
"""
