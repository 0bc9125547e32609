"""The simulated watch and parent in a terminal."""
