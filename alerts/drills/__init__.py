"""Drills (演练): the whole path with invented incidents, flagged everywhere, none of it out of the house."""
