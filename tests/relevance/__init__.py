"""How good the search is: judged queries over the real catalogue, and the figures that sum them up."""
