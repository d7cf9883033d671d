"""Which guides there are, and whose work each explains."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from console.accounts.models import Role

# In the repository beside the code; in an installed package within it (see pyproject.toml).
_INSTALLED: Final = Path(__file__).parent / "docs"
DOCS: Final = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "docs"

_OFFICE: Final = (Role.ADMINISTRATOR, Role.PROPERTY_MANAGER)


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide by its file's name, and the roles that find it listed. `reference`: to look things up in.

    `chinese`: whether there is a Chinese text; what only the code's own names fill has none.
    """

    name: str
    roles: tuple[Role, ...]
    reference: bool = False
    chinese: bool = True

    def file(self, lang: str) -> Path:
        """Its file in a language."""
        return DOCS / (f"{self.name}.zh-CN.md" if self.chinese and lang == "zh-CN" else f"{self.name}.md")


_GUIDES: Final = (
    Guide("residents-guide", (Role.RESIDENT, *_OFFICE)),
    Guide("operators-guide", (Role.OPERATOR, Role.AUDITOR, *_OFFICE)),
    Guide("guards-card", (Role.GUARD, Role.OPERATOR, *_OFFICE)),
    Guide("volunteers-guide", (Role.VOLUNTEER, Role.GUARD, Role.GRID_WORKER, Role.OPERATOR, *_OFFICE)),
    Guide("administrators-guide", (*_OFFICE, Role.AUDITOR, Role.GRID_WORKER, Role.POLICE)),
    Guide("installers-guide", (Role.OPERATOR, *_OFFICE)),
    Guide("integrators-guide", (Role.ADMINISTRATOR,), reference=True),
    Guide("roles", (*_OFFICE, Role.AUDITOR), reference=True, chinese=False),
    Guide("sheets", _OFFICE, reference=True, chinese=False),
    Guide("rules", (Role.ADMINISTRATOR, Role.OPERATOR), reference=True, chinese=False),
    Guide("settings", (Role.ADMINISTRATOR,), reference=True, chinese=False),
)
GUIDES: Final[Mapping[str, Guide]] = {guide.name: guide for guide in _GUIDES}


def guides_for(role: str) -> list[Guide]:
    """The guides that fit a role, its own first."""
    fitting = [guide for guide in _GUIDES if role in guide.roles]
    return sorted(fitting, key=lambda guide: guide.reference or guide.roles[0] != role)
