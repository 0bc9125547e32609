"""Counters, histograms and gauges of a process, and the page that Prometheus reads."""
