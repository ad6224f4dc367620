"""The server's connections: how many, and how long a client may take for what it has begun."""
