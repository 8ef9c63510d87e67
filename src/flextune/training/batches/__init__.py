"""Examples as batches, and their order."""
