"""The bus carries work between rooms; the database stays the truth.

Typed messages, subjects, the broker's construction, the outbox relay, dead letters, and
the embedded nats-server.
"""
