"""What the service does: one function an action, each owning its transaction."""
