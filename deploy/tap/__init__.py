"""Reading topics, decoded, in the form that a person or a program wants."""
