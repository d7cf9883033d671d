"""Watch-list entries: applied for, decided by another person, in force for a time."""
