"""Carts: the living ones in Redis, the abandoned ones in rows."""
