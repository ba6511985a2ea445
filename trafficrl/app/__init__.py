"""The commands: configuration in, one clear line or a run folder out."""
