"""Adapters to the world outside, and the runtime that sinks run on."""
