"""A day of places: days on the child's wall clock, and stays."""
