"""What the product knows and does, without any face."""
