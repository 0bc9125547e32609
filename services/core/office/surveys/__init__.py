"""Answers of families before and after: what may have changed, kept apart from what was used."""
