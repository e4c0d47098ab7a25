"""Many recordings: data sets, what is made of them for training, and the cache that keeps it."""
