"""The inbox: items that wait for a watch, in server order."""
