"""The simulated payment provider: a small real HTTP service whose cards decide what happens."""
