"""Rows of a copy that need no reading of content: which tables, which columns, and for whom."""
