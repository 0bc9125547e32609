"""Accounts, consents, the programme's structure, and households."""
