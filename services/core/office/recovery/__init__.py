"""A guardian's number changes, or a primary guardian is replaced."""
