"""What a shopper feels: a whole purchase over HTTP, here and in a shop without Kafka."""
