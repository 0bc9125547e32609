"""Usage reports of watches."""
