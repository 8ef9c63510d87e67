"""How certain a score is, and whether two scores differ: pass@k, intervals, paired tests."""
