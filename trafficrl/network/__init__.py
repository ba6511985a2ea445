"""Road networks: generated or read, as frozen values in ids, metres and seconds."""
