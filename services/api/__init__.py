"""The HTTP face: what guardians' apps and staff's pages talk to."""
