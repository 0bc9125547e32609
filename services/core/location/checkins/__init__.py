"""Where the watch was: fixes judged and kept, safe zones, and who may look."""
