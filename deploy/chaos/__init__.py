"""Chaos on a running platform: what is killed, and whether anything was lost."""
