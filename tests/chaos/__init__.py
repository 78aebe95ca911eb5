"""A history checker: students work while everything dies, and what they were told is held against the end."""
