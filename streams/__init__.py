"""The business logic: one folder a domain, and the kernel that runs their declarations as Faust agents."""
