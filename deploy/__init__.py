"""Everything that starts processes: the command line, the embedded stack, the demo."""
