"""The archive: topics as Parquet files in a folder or on S3, each record once, readable long after retention.

A partition's files are a chain: each begins with the first record that the one before it does not hold. A
file is only ever created, never replaced, so that two writers cannot both continue the chain at one place.
"""
