"""Watches are registered in bulk, with credentials and labels."""
