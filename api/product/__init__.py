"""The catalogue: products and search for everyone, changes to products for staff."""
