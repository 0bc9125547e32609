"""What guardians' apps are told, in order."""
