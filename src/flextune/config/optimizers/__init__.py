"""What can move the adapter's weights: one file for each optimizer."""
