"""What lets somebody in besides a guard's eye; nobody is left with a face alone."""
