"""What ops look at: consumer lag, throughput and dead letters."""
