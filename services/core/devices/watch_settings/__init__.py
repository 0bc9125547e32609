"""Settings of a child's watch."""
