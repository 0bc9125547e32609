"""Which watches and families of a site need staff to act."""
