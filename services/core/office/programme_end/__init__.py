"""The end of a programme: notification, export, erasure."""
