"""The SmartWatch backend: one distribution, several processes."""
