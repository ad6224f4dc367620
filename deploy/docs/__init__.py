"""Documents generated from the declarations, and the check that they are current."""
