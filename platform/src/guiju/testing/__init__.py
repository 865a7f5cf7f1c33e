"""Help for testing jurisdiction plugins: worked cases in plain sentences."""
