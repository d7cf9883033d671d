"""From the broker: a session that persists, one thread that reads, one that commits, and the answers."""
