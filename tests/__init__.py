"""What crosses a border: the architecture, the contract, and the whole system end to end."""
