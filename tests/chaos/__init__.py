"""Faults on real processes, and a checker that holds the database against what each device was told.

The tests are the short form. The long one, with random faults at random moments, is a command:
`python -m tests.chaos --events 100000`, or `make chaos`.
"""
