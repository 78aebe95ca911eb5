"""The rules of exams, pure: time, randomness and ids come in as arguments."""
