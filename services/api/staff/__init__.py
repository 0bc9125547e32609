"""The staff API; it imports no module that holds content, positions or contacts."""
