"""Accounts of staff: who opens and resets them, and which accounts count as a second person."""
