"""What the tests of the whole system stand on: a running copy, clients, and an oracle for the scores."""
