"""Every query of the auth schema, by what it is about."""
