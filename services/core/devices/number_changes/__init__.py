"""A guardian's own change of number: a PIN, a code to the new number, and 24 hours to object."""
