"""One figure a file: rows first (plain data), drawing second."""
