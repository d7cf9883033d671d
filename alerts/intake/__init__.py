"""Intake: what people report, what became of it, disputes for mediators, faults that become work orders."""
