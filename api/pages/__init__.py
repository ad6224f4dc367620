"""The shop and the ops pages, rendered by the server; htmx exchanges fragments of them."""
