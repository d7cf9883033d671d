"""What people say of decisions, and what follows from it.

Operators answer what they see on the two pictures (L-12); from their answers come pairs that
are not to be taken for each other, the score of a camera, and proposals to move its threshold,
which a person decides on. Nothing here changes a decision by itself.
"""
