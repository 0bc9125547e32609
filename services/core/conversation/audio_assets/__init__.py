"""Clips: the bytes of voice messages, what they are found to be, and what is made of them."""
