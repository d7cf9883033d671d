"""The rules: pure functions from observations to signals. No clock, no session, no broker.

The same code runs live, in a replay of last week, and in a test. One file a rule, in the folder
of its ring; `registered` lists them.
"""

from alerts.rules.book import Entry, Hours, Mode, RuleBook, with_values
from alerts.rules.engine import Engine, Fault
from alerts.rules.observation import (
    CredentialFacts,
    DwellingFacts,
    Observation,
    PassFacts,
    PersonFacts,
    VehicleFacts,
    WatchHit,
)
from alerts.rules.registered import RULES
from alerts.rules.rule import Blind, Clear, Mute, Proposal, Rule, Said, Signal, View
from alerts.rules.site import Site, SiteDevice, SiteZone

__all__ = [
    "RULES",
    "Blind",
    "Clear",
    "CredentialFacts",
    "DwellingFacts",
    "Engine",
    "Entry",
    "Fault",
    "Hours",
    "Mode",
    "Mute",
    "Observation",
    "PassFacts",
    "PersonFacts",
    "Proposal",
    "Rule",
    "RuleBook",
    "Said",
    "Signal",
    "Site",
    "SiteDevice",
    "SiteZone",
    "VehicleFacts",
    "View",
    "WatchHit",
    "with_values",
]
