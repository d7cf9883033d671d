"""The ways to reach somebody. Each hands over one letter and says honestly what came of it."""
