"""The audit log: actor, action and time; append-only, random ids only."""
