"""Data whose retention period has ended is purged."""
