"""Messages between guardians and children, and their state at each recipient."""
