"""What a trained network is worth: its answers, when they come, and what they cost."""
