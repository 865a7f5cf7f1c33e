"""What judging a province costs, measured against what it could cost at the least."""
