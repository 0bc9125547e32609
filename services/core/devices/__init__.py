"""Watches and how they reach guardians: presence, settings, commands, contacts, push endpoints, alerts."""
