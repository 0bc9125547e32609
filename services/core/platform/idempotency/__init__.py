"""Ids used by watches, with the receipts they got."""
