"""Deterministic simulation of the whole dataflow with its gateway and sinks: see docs/simulation.md."""
