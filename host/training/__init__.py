"""Training: networks that learn in the contract's own integers, and what they are compared with."""
