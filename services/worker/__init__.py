"""What may take its time."""
