"""A guardian asks the office for help."""
