"""The pure core: resources, filters, patches and messages of SCIM, without I/O."""
