"""A simulated programme with a year of usage, written through the same code as real reports."""
