"""Thousands of watches in one process: connections, rates, percentiles, losses."""
