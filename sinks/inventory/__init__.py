"""Stock: the levels of each SKU, and every movement."""
