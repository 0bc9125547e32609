"""The ids that watches have used, and the answers."""
