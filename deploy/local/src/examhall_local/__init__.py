"""Runs the whole of Examhall on one machine: private nodes, certificates, supervised processes, demo data."""
