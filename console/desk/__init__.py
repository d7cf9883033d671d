"""The desk: whose hands are on which incident, and parts of the live page that many ask for at once.

Nothing here is a record of anybody's work: who looks at what is forgotten with the page that looked.
"""
