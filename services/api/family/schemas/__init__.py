"""HTTP bodies of the family API, one module per noun; separate from tables and wire messages."""
