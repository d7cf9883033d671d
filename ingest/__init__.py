"""Ingest: from a device's message to a committed event, acknowledged only then.

decode → validate → correct the time → dedupe → commit with the outbox → acknowledge.
What cannot be understood ends as a dead letter with its reason and bytes.
"""
