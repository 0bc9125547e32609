"""A guardian contests another guardian's rights."""
