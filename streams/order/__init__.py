"""Orders: placed by a checkout, confirmed or cancelled once, then moved on by staff; and returns."""
