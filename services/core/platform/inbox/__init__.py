"""Items that wait for a watch, in server order."""
