"""Bulk registration of watches with credentials and labels."""
