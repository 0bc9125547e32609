"""How often anything that costs may be asked for, counted for all processes together."""
