"""From an event that was committed to a decision that is: what a recognition process does."""
