"""From the events of a camera to those of the core."""
