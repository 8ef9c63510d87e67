"""The run directory: what a run wrote, what is finished, and where it goes on."""
