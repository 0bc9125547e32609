"""The product itself, without any face."""
