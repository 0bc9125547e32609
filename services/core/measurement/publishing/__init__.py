"""Weeks are published once, after disclosure control."""
