"""A simulated fleet against a real deployment: registered, played, and held against the database."""
