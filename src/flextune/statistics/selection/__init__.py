"""What the best of many configurations is worth: chosen on one half, reported on the other."""
