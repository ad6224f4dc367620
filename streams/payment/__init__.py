"""Payment, one record per order: authorise, capture, void, refund and credit, through the gateway."""
