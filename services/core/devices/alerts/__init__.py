"""What a watch, a zone or a silence calls the guardians for, and who of them has seen it."""
