"""SIM cards of watches."""
