"""Drills (演练): invented incidents on the path of real ones, and how that went beside the real week.

`scenarios` says what is played, `playing` begins, raises and ends it, `results` measures it. Nothing of a
drill opens a door, leaves the house or counts in a statistic.
"""
