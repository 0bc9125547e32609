"""Families, their children, guardians and invitations."""
