"""What merging did to an adapter: its update weight by weight, the model's answers, a verdict."""
