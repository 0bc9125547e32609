"""Traces of a watch with an open fault: connections, hellos and refusals, never content."""
