"""The whole system through its REST API."""
