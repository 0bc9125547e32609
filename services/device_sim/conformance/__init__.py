"""The contract's sentences, checked against a real watch or a real backend."""
