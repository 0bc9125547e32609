"""Imports of public numbers into a DHIS2 system, and what it answered."""
