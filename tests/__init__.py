"""Tests: unit, topology, integration, end to end."""
