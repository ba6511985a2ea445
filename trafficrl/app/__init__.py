"""The commands: Hydra around them, everything else below them."""
