"""The contact list of a child, by version."""
