"""Help requests from guardians to the office."""
