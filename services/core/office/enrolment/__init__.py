"""Enrolment of families, attendance of trainings, and the end of an enrolment."""
