"""Every query of the grading schema, a file for each noun."""
