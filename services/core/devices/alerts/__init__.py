"""Alerts of a watch, a zone or a silence, and which guardian has acknowledged each."""
