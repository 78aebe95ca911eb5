"""auth: who people are, and how every other process knows it."""
