"""SUMO, behind one door: nothing outside this room imports traci or libsumo."""
