"""Providers of text messages, one a module, and the router that chooses among them."""
