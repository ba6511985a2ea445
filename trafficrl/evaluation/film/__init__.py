"""Films of episodes: what happened, for the eye."""
