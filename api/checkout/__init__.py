"""Checkout: from the cart that a shopper saw to an order, or the reason why there is none."""
