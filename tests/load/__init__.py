"""Measurements against a running copy on loopback: they report, they don't judge."""
