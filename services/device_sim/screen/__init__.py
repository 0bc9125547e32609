"""A watch on the screen of a computer: a page on loopback that shows one simulated watch and takes its buttons."""
