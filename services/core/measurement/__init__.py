"""Usage of the watches: daily counts, weekly indicators, and which of them each audience may see."""
