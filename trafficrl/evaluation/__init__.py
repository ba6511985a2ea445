"""Judging policies: the same driver, the same unseen demand, metrics over every vehicle."""
