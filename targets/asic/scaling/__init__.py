"""How cells scale with their supply."""
