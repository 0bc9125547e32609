"""The event stream of guardians' apps."""
