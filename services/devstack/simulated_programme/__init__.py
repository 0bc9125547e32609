"""A simulated programme with a year of usage, written as real reports would be."""
