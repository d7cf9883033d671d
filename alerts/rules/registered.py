"""All rules, in the order of their numbers."""

from alerts.rules.across import ACROSS
from alerts.rules.building import BUILDING
from alerts.rules.common import COMMON
from alerts.rules.entrance import ENTRANCE
from alerts.rules.rule import Rule
from alerts.rules.system import SYSTEM

RULES: tuple[type[Rule], ...] = tuple(
    sorted((*ENTRANCE, *COMMON, *BUILDING, *ACROSS, *SYSTEM), key=lambda rule: rule.id)
)
