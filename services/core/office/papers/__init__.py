"""Printed papers: labels, hand-out list, strips, slips, and the leaflet for the home."""
