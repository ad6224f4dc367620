"""The demonstration: a real shop's invoices, replayed as carts and checkouts, and reconciled to the cent."""
