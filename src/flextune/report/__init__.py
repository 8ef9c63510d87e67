"""What a run shows: one self-contained HTML page, and a table for the terminal."""
