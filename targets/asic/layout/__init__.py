"""Layout by OpenROAD's flow scripts."""
