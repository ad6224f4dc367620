"""Inventory's two tables: the stock of each SKU, and the allocation of each order."""
