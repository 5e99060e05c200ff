"""Who makes a request: the ways to prove it."""
