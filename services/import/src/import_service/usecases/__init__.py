"""What the service does, one function an action."""
