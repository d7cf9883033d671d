"""People, households and residences, and the two questions: from a person to dwellings and back."""
