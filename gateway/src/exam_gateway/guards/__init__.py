"""What stands before every endpoint: frame, origins, sizes, rates, and who may pass."""
