"""Accounts of staff: who opens and resets them, and which of them count as a second person."""
