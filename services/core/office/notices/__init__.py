"""Notices from the programme office to families."""
