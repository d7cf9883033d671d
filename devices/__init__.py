"""Devices: the registry of what may publish, its condition, its vendors' formats, its commands."""
