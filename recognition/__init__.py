"""Faces and plates: detect, judge quality, embed or read, search, decide.

The decisions are pure functions over values; engines and models stay behind protocols.
The worker turns a committed event into a sighting, exactly one, whatever its pictures are.
"""
