"""Format of question lists and answer lists. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.platform.spreadsheets.sheets import (
    Fault,
    Row,
    SheetRefusedError,
    cell_fault,
    first_faults,
    heading_of,
    read_sheet,
    repeated_cells,
)

WAVES: Final = ("baseline", "endline")
KINDS: Final = ("yes_no", "number", "scale")
QUESTION_COLUMNS: Final = ("question", "kind", "label")
LONG_COLUMNS: Final = ("family_code", "wave", "question", "answer")
WIDE_COLUMNS: Final = ("family_code", "wave")
# A key is a column heading and must not equal one of the lists' own headings.
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,29}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,6})?")
_YES: Final = frozenset({"yes", "y", "1", "true"})
_NO: Final = frozenset({"no", "n", "0", "false"})


@dataclass(frozen=True)
class Question:
    """One question and its kind; the bounds apply to number and scale."""

    key: str
    kind: str
    label: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Answer:
    """One answer of a list; yes is 1."""

    row: int
    family_code: str
    wave: str
    question: str
    value: float


@dataclass(frozen=True)
class AnswerList:
    """The answers of a list, the family of each row that has any, and every fault that the list alone shows.

    A row whose answer is none has no answer here: its family is compared with the database all the same.
    """

    answers: list[Answer]
    families: dict[int, str]
    faults: list[Fault]


def read_questions(raw: bytes) -> list[Question]:
    """Return the questions of a list; raises SheetRefusedError with every fault."""
    faults: list[Fault] = []
    rows = read_sheet(raw, required=QUESTION_COLUMNS, optional=("least", "most"), collected=faults)
    faults += repeated_cells(rows, "question", "question_repeated")
    for row in rows:
        faults += _question_faults(row)
    if faults:
        raise SheetRefusedError(faults)
    return [
        Question(
            row.cells["question"], row.cells["kind"], row.cells["label"],
            _maybe(row.cells["least"]), _maybe(row.cells["most"]),
        )
        for row in rows
    ]  # fmt: skip


def check_questions(questions: Sequence[Question]) -> None:
    """Check questions that were not read from a list; raises SheetRefusedError with every fault."""
    faults: list[Fault] = []
    for number, question in enumerate(questions, start=1):
        bounds = {"least": question.least, "most": question.most}
        cells = {"question": question.key, "kind": question.kind, "label": question.label}
        cells |= {name: "" if value is None else f"{value:g}" for name, value in bounds.items()}
        row = Row(number, cells)
        faults += _question_faults(row)
        if fault := cell_fault(question.label):
            faults.append(row.fault("label", *fault))
    keys = [question.key for question in questions]
    faults += [
        Fault(number, "question", "question_repeated", "This question occurs twice.")
        for number, key in enumerate(keys, start=1)
        if key in keys[: number - 1]
    ]
    if faults:
        raise SheetRefusedError(faults)


def read_answers(raw: bytes, questions: Mapping[str, Question]) -> AnswerList:
    """Return the answers of a long (one row an answer) or wide list (one column a question), and the list's faults.

    Empty cells are skipped. Raises SheetRefusedError for a file that is not such a list.
    """
    heading = heading_of(raw)
    read = AnswerList([], {}, [])
    if "question" in heading or "answer" in heading:
        _long(read_sheet(raw, required=LONG_COLUMNS, collected=read.faults), questions, read)
    else:
        columns = tuple(questions)
        _wide(read_sheet(raw, required=WIDE_COLUMNS, optional=columns, collected=read.faults), questions, read)
    read.faults.extend(_repeated(read.answers))
    return AnswerList(read.answers, read.families, first_faults(read.faults))


def parse_answer(question: Question, cell: str) -> float:
    """Return an answer as a number; raises ValueError with the accepted form."""
    word = cell.lower()
    if question.kind == "yes_no":
        if word not in _YES | _NO:
            raise ValueError("yes or no")
        return 1.0 if word in _YES else 0.0
    if not _NUMBER.fullmatch(cell):
        raise ValueError("a number such as 3 or 3.5")
    value = float(cell)
    if question.kind == "scale" and not value.is_integer():
        raise ValueError("a whole number")
    if (question.least is not None and value < question.least) or (question.most is not None and value > question.most):
        raise ValueError(f"from {question.least} to {question.most}")
    return value


def _question_faults(row: Row) -> list[Fault]:
    cells, faults = row.cells, []
    if not _KEY.fullmatch(cells["question"]) or cells["question"] in LONG_COLUMNS:
        faults.append(row.fault("question", "question_malformed", "A key has 2 to 30 characters of a-z, 0-9 and _."))
    if cells["kind"] not in KINDS:
        faults.append(row.fault("kind", "kind_unknown", f"Must be one of {', '.join(KINDS)}."))
    if not cells["label"]:
        faults.append(row.fault("label", "label_missing", "This cell is empty."))
    faults += [
        row.fault(column, f"{column}_malformed", "Enter a number such as 1 or 10.")
        for column in ("least", "most")
        if cells[column] and not _NUMBER.fullmatch(cells[column])
    ]
    if cells["kind"] == "scale" and not (cells["least"] and cells["most"]):
        faults.append(row.fault("least", "scale_open", "A scale needs both least and most."))
    return faults


def _long(rows: Sequence[Row], questions: Mapping[str, Question], read: AnswerList) -> None:
    for row in rows:
        if row.cells["question"] not in questions:
            read.faults.append(row.fault("question", "question_unknown", "The survey does not contain this question."))
            read.families[row.number] = _family_code(row)
        else:
            _read_answer(row, row.cells["question"], "answer", questions, read)
        read.faults.extend(_place_faults(row))


def _wide(rows: Sequence[Row], questions: Mapping[str, Question], read: AnswerList) -> None:
    for row in rows:
        for key in questions:
            _read_answer(row, key, key, questions, read)
        read.faults.extend(_place_faults(row))


def _read_answer(row: Row, key: str, column: str, questions: Mapping[str, Question], read: AnswerList) -> None:
    cell = row.cells[column]
    if not cell:
        return
    read.families[row.number] = _family_code(row)
    try:
        value = parse_answer(questions[key], cell)
    except ValueError as error:
        read.faults.append(row.fault(column, "answer_malformed", f"Not a valid answer: {error}."))
    else:
        read.answers.append(Answer(row.number, _family_code(row), row.cells["wave"].lower(), key, value))


def _family_code(row: Row) -> str:
    return row.cells["family_code"].upper()


def _place_faults(row: Row) -> list[Fault]:
    faults = []
    if not row.cells["family_code"]:
        faults.append(row.fault("family_code", "family_code_missing", "This cell is empty."))
    if row.cells["wave"].lower() not in WAVES:
        faults.append(row.fault("wave", "wave_unknown", "Must be one of baseline, endline."))
    return faults


def _repeated(answers: Sequence[Answer]) -> list[Fault]:
    faults = []
    first: dict[tuple[str, str, str], int] = {}
    for answer in answers:
        place = (answer.family_code, answer.wave, answer.question)
        if place in first:
            faults.append(
                Fault(answer.row, answer.question, "answer_repeated", f"Row {first[place]} already has this answer.")
            )
        first.setdefault(place, answer.row)
    return faults


def _maybe(cell: str) -> float | None:
    return float(cell) if cell else None
