"""A guardian's copy of the family's data."""
