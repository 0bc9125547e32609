"""Consents of guardians: text version, language, time, and how they were given."""
