"""Commands to a child's watch."""
