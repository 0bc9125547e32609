"""Recordings: found out by decoding them, and made into what each end plays, in processes of their own."""
