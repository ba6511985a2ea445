"""The task: what a policy sees, does and is paid, as a Gymnasium environment."""
