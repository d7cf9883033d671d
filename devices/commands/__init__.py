"""Commands to devices: asked for, allowed or not, sent once, answered or uncertain.

The database is the truth: a command is `pending` until it is written down as `sent`, which
is before it leaves, so that a crash can lose one but never send it twice.
"""
