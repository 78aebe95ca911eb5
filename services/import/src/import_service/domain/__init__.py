"""Pure rules of importing, which the parser's process imports too: they need little."""
