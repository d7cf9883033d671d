"""Two versions side by side: the next one's schema first, then its processes, then back again."""
