"""Alerts: from events and sightings to few, right, explained incidents, and to the person who goes.

`rules/` decides what is wrong, `incidents/` keeps one incident per thing that happened,
`routing/` says who is concerned, `duty/` who is there, `dispatch/` who goes.
"""
