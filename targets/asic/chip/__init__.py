"""The SoC as a chip in simulation, gate by gate or from its RTL: what is at its pads, and the firmware's image."""
