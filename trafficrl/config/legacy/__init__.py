"""Experiments of the earlier program, read as ours; no key is lost in silence."""
