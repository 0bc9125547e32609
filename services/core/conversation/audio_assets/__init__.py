"""Audio assets: the bytes of voice messages, their decoded properties and their renditions."""
