"""The demo: the story of one family on the real processes."""
