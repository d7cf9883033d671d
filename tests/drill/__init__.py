"""The disaster drill: a blank directory becomes a working system with yesterday's data, timed by step."""
