"""The API of guardians' apps."""
