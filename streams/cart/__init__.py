"""Carts: filled by shoppers' commands, frozen by a checkout, cleared or restored by its end."""
