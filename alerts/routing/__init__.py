"""Routing: who hears of an incident, and when.

`tree` decides by ring, kind, place, hour and how grave it is; `reaction` turns a decision into what
people are told. Silences, groups and inhibition keep the lesser things quiet, never a graver one.
"""
