"""Built-in connectors, which use no more than what third parties may."""
