"""Pure rules of grading: no database, no clock, no network."""
