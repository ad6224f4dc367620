"""State records of the dataflow's tables, and the tables' declarations."""
