"""Messages between a child and guardians, and their audio."""
