"""What stands between SUMO and the optimiser, measured: `make bench`."""
