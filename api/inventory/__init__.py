"""Stock: staff's commands, levels and movements."""
