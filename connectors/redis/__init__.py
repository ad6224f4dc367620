"""The sink connector's Redis side: JSON values by key, guarded by their version."""
