"""Configuration: read, checked wholly, then frozen."""
