"""The platform's invariants, checked against a running system."""
