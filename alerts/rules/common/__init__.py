"""Rules of the second ring: what lies between the gates and the buildings."""

from alerts.rules.rule import Rule

COMMON: tuple[type[Rule], ...] = ()
