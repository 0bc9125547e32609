"""Access log: each access to a child's location or audio."""
