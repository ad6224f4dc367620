"""The views' servers in memory: as much of each as the real sinks ask of it, and not more."""
