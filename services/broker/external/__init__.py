"""A broker that is not ours asks here who may log in, publish and subscribe; revoked watches are kicked there."""
