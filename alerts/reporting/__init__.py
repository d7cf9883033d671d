"""What a span of time comes to in figures: counts, shares with what they are worth, times, all of nobody.

The figures are pure functions; only `gathering` reads tables, and lets the database count.
"""
