"""Simulating the dataflow from the command line."""
