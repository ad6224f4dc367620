"""Creating, verifying and listing the topics of the registry."""
