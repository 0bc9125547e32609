"""Watches, their identities at the broker, their settings and presence."""
