"""Ingest: from a device's message to a committed event, acknowledged only then.

Three ways in (`mqtt`, `push`, `streams`) and one intake: find the adapter → decode → believe or
set aside → correct the time → dedupe → commit with the outbox → acknowledge. What cannot be
understood ends as a dead letter with its reason and bytes.
"""
