"""Pictures that people send: drawn anew in a process of its own, so that no sender's bytes are served."""
