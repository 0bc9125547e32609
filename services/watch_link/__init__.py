"""Handles what a watch sends, whatever the transport: one handler a kind."""
