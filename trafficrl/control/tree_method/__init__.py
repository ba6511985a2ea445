"""The tree method: congestion as trees of loaded streets, whose cost the signals at their trunks
turn into green."""
