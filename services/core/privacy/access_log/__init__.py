"""Who accessed a child's location or audio."""
