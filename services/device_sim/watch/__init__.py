"""The simulated watch."""
