"""What a run says about the optimizers that it compares."""
