"""The invariants, one function each."""
