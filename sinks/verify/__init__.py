"""Whether a view holds what the topics say: both as digests per key, which lie on disk, not in memory."""
