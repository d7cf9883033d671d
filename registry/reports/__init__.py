"""Where person, registration and dwelling come apart, and what ends or grows old."""
