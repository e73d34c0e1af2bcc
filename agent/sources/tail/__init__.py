"""Files that are written to, rotated, cut and removed while they are read."""
