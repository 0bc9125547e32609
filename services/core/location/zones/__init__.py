"""Safe zones, and their passages."""
