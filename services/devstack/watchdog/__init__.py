"""`smartwatch watchdog`: what a person who runs the system alone must know, one line at a time. See docs/runbook.md."""
