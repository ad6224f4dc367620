"""Stock, one record per SKU: goods in, goods reserved at a firm price, goods out."""
