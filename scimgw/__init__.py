"""scimgw: a SCIM gateway on Twisted."""
