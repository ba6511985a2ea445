"""How jobs reach a cluster, what they do there when it stops them, and how they find each other."""
