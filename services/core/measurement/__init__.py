"""How the watches are used: daily counts, weekly indicators, and what of them may be shown to whom."""
