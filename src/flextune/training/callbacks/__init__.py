"""What takes part in a training besides the Trainer: the penalty, Sophia, early stopping, the log."""
