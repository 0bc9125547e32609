"""Families are enrolled, attend trainings and leave the programme."""
