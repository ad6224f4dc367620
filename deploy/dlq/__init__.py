"""Dead letters: what was refused, why, and sending it on its way again."""
