"""Baseline and endline surveys of families, stored apart from usage metrics."""
