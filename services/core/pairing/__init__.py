"""How a watch becomes a child's watch, and stops being it."""
