"""What runs inside the sandbox, by a bare interpreter; imports the standard library and nothing else."""
