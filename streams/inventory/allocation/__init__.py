"""Allocation, one record per order: splits its lines by SKU, joins the answers, undoes its own work."""
