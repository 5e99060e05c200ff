"""The gateway's own TLS: what it shows, how it is spoken, and who shows what."""
