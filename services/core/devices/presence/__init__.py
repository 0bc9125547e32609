"""Presence of watches: last message, battery, connection, and the likeliest reason of a silence."""
