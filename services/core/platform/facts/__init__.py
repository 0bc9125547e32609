"""What happened, when, to which watch; no content. Usage is computed from it."""
