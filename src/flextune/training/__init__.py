"""Fine-tuning: a transformers Trainer with the frequency-domain penalty, and one call that runs it."""
