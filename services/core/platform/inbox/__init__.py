"""What waits for a watch, in server order."""
