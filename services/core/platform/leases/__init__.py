"""One holder at a time for a task that several processes stand by for, with a fencing token."""
