"""The people-house registry (一标三实): places, people, households, and who may be where.

Every match, rule and dispatch stands on it. What is lawful is structure here: a
template hangs on a consent, a watch-list entry on two people and an end.
"""
