"""Writing what every domain begins with: `ecommerce new`."""
