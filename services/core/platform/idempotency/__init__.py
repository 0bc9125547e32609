"""Every id a watch has used, and what it was answered."""
