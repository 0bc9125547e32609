"""A guardian's name and phone for safeguarding, released by two staff members."""
