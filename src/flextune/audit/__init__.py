"""What is in an adapter."""
