"""The page of a copy that a family reads: its conversation and its days, without a network and without us."""
