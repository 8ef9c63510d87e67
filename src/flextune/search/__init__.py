"""Proposers of settings to try next."""
