"""Accounts, passwords, tokens, and who is calling. Credentials never enter a topic."""
