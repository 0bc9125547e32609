"""Facts are counted into days, for families that consented to measurement."""
