"""Patrols (电子巡更): routes with their points, when they are walked, the rounds of it, and who came by.

What a visit means is decided by a pure function, `judge`. A point that nobody came to reaches the rules by
the calendar, as one that the rules file names does, so that there is one incident of it and no second way.
"""
