"""Messages both ways and what became of them at each recipient."""
