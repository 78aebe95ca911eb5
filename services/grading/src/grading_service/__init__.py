"""Grading: the answer keys, grades, marks, and what each student may see of them."""
