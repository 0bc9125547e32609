"""What travels over HTTP, one file a noun; neither tables nor wire messages."""
