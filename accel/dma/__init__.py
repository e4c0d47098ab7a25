"""Events fetched from memory and spikes written to it, without a CPU."""
