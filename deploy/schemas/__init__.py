"""Checking, listing and committing the message schemas."""
