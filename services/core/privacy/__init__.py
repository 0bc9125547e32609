"""A family's rights over its data: erase it, export a copy, contest a right, read the access log."""
