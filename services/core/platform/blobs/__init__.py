"""Encrypted objects outside the database, and a row for each."""
