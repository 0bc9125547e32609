"""Scenario files: who is in the family, what happens, what is expected by when."""
