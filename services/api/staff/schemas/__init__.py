"""Requests and responses of the staff API, one file for each noun."""
