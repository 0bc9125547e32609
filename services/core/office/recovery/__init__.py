"""Account recovery: a guardian's new phone number, or a new primary guardian."""
