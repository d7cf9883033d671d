"""What a person may ask of the system, and what the system has to forget by itself.

Erasure with its receipt, subject access, retention and legal hold, disclosure, impact
assessment. It reaches into every room that holds something of a person; nothing but the
console, the keeper and the command line reaches into it.
"""
