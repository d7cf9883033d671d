"""How much one device may send: a bucket of tokens that fills with time and empties with use."""

import msgspec


class Limit(msgspec.Struct, frozen=True):
    """`rate` tokens come in a second, and at most `burst` are kept."""

    rate: float
    burst: float


class Bucket(msgspec.Struct, frozen=True):
    """What is left, and as of when, in seconds of whichever clock it is used with."""

    tokens: float
    at: float


def full(limit: Limit, at: float) -> Bucket:
    return Bucket(limit.burst, at)


def filled(limit: Limit, bucket: Bucket, at: float) -> Bucket:
    """The bucket as of `at`.

    Time may go backwards: a memory that is read out newest first, or two that are read out in
    turn, say as little about a flood as one in order. What counts is how far apart they are.
    """
    tokens = min(limit.burst, bucket.tokens + abs(at - bucket.at) * limit.rate)
    return Bucket(tokens, at)


def take(limit: Limit, bucket: Bucket, at: float) -> tuple[bool, Bucket]:
    """Whether there was a token at `at`, and what is left."""
    now = filled(limit, bucket, at)
    if now.tokens < 1:
        return False, now
    return True, Bucket(now.tokens - 1, at)
