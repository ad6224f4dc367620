"""The HTTP layer: commands in, queries out; pages for shoppers and ops."""
