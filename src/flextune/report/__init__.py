"""Showing results: a page made of sections, tables and charts by kind; it knows no study."""
