"""Break-glass: a guardian's name and phone number for safeguarding, released by two staff members."""
