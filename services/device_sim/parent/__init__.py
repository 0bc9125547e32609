"""The simulated parent's phone, over the public API only."""
