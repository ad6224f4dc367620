"""What the topics must tell, stated a second time in the plainest way, and compared as records arrive."""
