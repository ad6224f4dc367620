"""Payments: where each order's money stands."""
