"""What must be told to others, written with its cause in one transaction."""
