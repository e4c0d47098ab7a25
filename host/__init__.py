"""Host side: golden model, networks, event sources and the link to the SoC."""
