"""What all commands of the host share: folders, files, console, processes."""
