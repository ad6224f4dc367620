"""Inventory: the stock of each SKU, and each order's allocation over the stocks of its SKUs."""
