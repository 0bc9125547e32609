"""Errors of questions."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class QuestionChildError(CoreError):
    """The question about a child's own word names a child, and no other question does."""

    code = "question_child_wrong"
    sentence = "Name the child for the question about its own word, and for no other question."
