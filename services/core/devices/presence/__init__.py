"""When a watch was last heard from, and what its silence most likely means."""
