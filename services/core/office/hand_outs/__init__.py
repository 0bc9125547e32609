"""Watches are handed out to families, come back, or are lost."""
