"""Who did what, when; append-only, random ids only."""
