"""Safe zones, and when a child entered or left one."""
