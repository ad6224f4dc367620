"""The platform's long-running processes, one command each."""
