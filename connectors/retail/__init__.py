"""The adapter to a retailer's invoice file: reads it, judges each row and says what was traded."""
