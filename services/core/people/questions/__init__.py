"""Questions to guardians: at most one a day, each with "not now"."""
