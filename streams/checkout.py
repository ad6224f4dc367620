"""The versions of a checkout, which has just one beginning and one end."""

BEGIN = 1
END = 2
