"""Files: JSON lines that survive a kill, whole files that appear at once, and what others wrote."""
