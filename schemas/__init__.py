"""Every message of the platform: typed data, the envelope, the wire format and the rules of change."""
