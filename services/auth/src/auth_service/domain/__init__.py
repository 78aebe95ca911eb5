"""Pure rules of accounts, sessions, throttling and key rotation; the clock is an argument."""
