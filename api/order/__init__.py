"""Checkout and orders: commands, lists, and an order's progress as it happens."""
