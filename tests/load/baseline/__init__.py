"""A plain monolith, as a team writes it first: what every figure is compared with."""
