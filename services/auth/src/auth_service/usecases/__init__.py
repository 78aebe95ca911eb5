"""One function an action; each owns its transaction."""
