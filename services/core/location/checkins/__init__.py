"""Check-ins: assess and store fixes, read them for guardians, and delete them at the end of retention."""
