"""Children and families are erased, and erasures are replayed after a restore."""
