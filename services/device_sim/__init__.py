"""A simulated watch and a simulated parent: the second implementation of the watch protocol, which keeps it honest."""
