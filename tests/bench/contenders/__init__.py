"""The processes that benchmarks measure: the platform's own flows, and the same steps written otherwise."""
