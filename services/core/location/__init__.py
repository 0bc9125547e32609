"""Check-ins, safe zones and tracks."""
