"""Keys and secrets: random ids, sealed values, keyed hashes, broker passwords."""
