"""Benchmarks: figures of this machine beside their ceilings, measured in the same run."""
