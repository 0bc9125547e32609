"""Tracks: a child's day in its own time zone, and stays."""
