"""A programme ends: notice, export, erasure."""
