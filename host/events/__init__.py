"""Event recordings on their way to a network: formats, one form, and the encoder."""
