"""The usage indicators: definitions and formulas."""
