"""Whether this process lives, whether it can serve, and how the other services are."""
