"""Published cells as files and reports."""
