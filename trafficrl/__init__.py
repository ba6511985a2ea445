"""Train, sweep, resume and honestly judge reinforcement-learning signal control on SUMO."""

__version__ = "0.1.0"
