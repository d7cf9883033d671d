"""Notifications: what somebody has to hear, and every try to tell them.

`asking` writes down what is to be told, in the commit of whatever makes it so. `engine` brings it to people,
one channel at a time by their own rules, until somebody answers, a receipt comes, or there is no channel
left. `channels/` are the ways to reach somebody; each says honestly what came of a try.
"""
