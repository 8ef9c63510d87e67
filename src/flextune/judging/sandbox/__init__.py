"""Isolation and limits for one process tree at a time; knows nothing of languages or problems."""
