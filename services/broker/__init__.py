"""Runs Mosquitto as a child and keeps its users equal to Postgres."""
