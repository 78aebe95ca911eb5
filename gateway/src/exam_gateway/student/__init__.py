"""The student surface. Nothing here imports what holds a key."""
