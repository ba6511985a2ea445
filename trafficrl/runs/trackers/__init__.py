"""Trackers that a run is told to: each in a process of its own, which reads the run folder."""
