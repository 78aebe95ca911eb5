"""What people do, in a real browser against a running copy of the system."""
