"""Recordings: examined by decoding, and rendered for each receiver, in confined processes."""
