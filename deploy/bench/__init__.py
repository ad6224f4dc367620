"""`ecommerce bench`: the benchmarks, from a checkout."""
