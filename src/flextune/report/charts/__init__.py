"""Kinds of drawing: plain data in, a plotly figure out."""
