"""What all targets share: programs, builds, progress."""
