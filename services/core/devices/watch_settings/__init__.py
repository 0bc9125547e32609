"""What a child's watch is configured to."""
