"""Figures of several systems, one a country, joined from the cells that each has published."""
