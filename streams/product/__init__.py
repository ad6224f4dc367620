"""Products: put on sale, changed and taken off by commands, each change an event with the full product."""
