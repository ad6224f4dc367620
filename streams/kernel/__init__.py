"""The batching kernel: declarations of flows, and their execution in micro-batches of one partition."""
