"""Who can reach a child, as a versioned list."""
