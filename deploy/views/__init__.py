"""`ecommerce views`: rebuilding views, and comparing them with the topics."""
