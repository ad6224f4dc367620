"""Carts: a shopper's commands and the cart as it stands."""
