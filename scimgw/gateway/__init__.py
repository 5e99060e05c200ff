"""The use cases: SCIM operations carried out against any connector, without HTTP."""
