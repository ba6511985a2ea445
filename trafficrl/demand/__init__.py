"""Demand: who drives when, from where, to where, and how they find their way."""
