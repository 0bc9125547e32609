"""Backups of one system: rows, sound and the ledger of erasures, and the way back."""
