"""One function an action; each owns its transaction, or is given the consumer's."""
