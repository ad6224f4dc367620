"""Payments: the gateway between the payment flow and a provider, and a simulated provider to buy from."""
