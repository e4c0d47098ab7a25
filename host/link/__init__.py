"""The link to a SoC: port, frames, window, session, and the device at its other end."""
