"""The dataflow as a graph, gathered from the rooms' own declarations."""
