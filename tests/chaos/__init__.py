"""Faults on real processes, and a checker that holds the database against what each device was told.

`site` with the tests around it breaks one thing at a time. `estate`, `nemesis` and `history` are the general
form: a whole site, faults of every sort over every part of it, and every promise checked at the end;
`test_nemesis` is its short form, `python -m tests.chaos`, or `make chaos`, the long one. What is promised and
what was found stands in docs/reliability.md.
"""
