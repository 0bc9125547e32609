"""Watches, their identities at the broker, and the tables of their settings, commands and presence."""
