"""Watches are handed out to families, returned, replaced or reported lost."""
