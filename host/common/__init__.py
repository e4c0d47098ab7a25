"""What all commands of the host share: folders, files, cache, console, processes."""
