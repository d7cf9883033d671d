"""Person lists on terminals: who should be known to each, and that it is so.

What the registry, consents and passes say is the truth; a terminal is brought to it batch by
batch, answers for each person, and is asked again until it has confirmed. An order to forget
goes before anything else.
"""
