"""Requests and responses of staff, one file a noun."""
