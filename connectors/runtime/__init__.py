"""The sink connector runtime: consume, decode, project, write in batches, and only then commit.

A sink promises one thing: `write` returns when the batch is durable, and writing the same batch again changes
nothing. From that the runtime makes at-least-once delivery with effectively-once effect: a crash between
write and commit repeats a batch, and nothing is lost, because offsets are committed after the write only.
"""
