"""Learning: the only room that knows torch and Stable-Baselines3."""
