"""What takes part in a training beside the Trainer itself."""
