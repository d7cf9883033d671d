"""Which pages are pictured, as whom: each in both languages, as a screen and as a phone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import ViewportSize

from ringward.demo import cast
from tests.support import demohands as hands


@dataclass(frozen=True, slots=True)
class Size:
    """A window, in CSS pixels, and how the picture's name says it."""

    name: str
    window: ViewportSize


DESKTOP: Final = Size("desktop", ViewportSize(width=1366, height=768))
PHONE: Final = Size("phone", ViewportSize(width=390, height=844))
SCREEN: Final = Size("screen", ViewportSize(width=1920, height=1080))


@dataclass(frozen=True, slots=True)
class Shot:
    """One page. Its pictures are `NAME-SIZE-LANGUAGE.webp`, with `-dark` at the end where it is dark."""

    name: str
    who: str | None
    """The account; None: nobody is signed in."""
    path: str
    """May name what the story gave, e.g. `{door}`."""
    wait: str = "main"
    """What has to be there before."""
    do: hands.Do | None = None
    """What is done on the page first."""
    top: str | None = None
    """What is scrolled to the top on a phone, where the page is long."""
    sizes: tuple[Size, ...] = (DESKTOP, PHONE)
    dark: bool = False
    """Whether the first size is taken in the dark as well."""
    faces: bool = True
    """Whether somebody's face may be on it, so that cameras' pictures are blurred."""

    def names(self, language: str) -> tuple[str, ...]:
        """The pictures of it in a language, as `make screenshots` names them."""
        light = tuple(f"{self.name}-{size.name}-{language}" for size in self.sizes)
        return (*light, f"{light[0]}-dark") if self.dark else light


# What stands without anything having happened: taken first, while the day begins.
STANDING: Final = (
    # The administrator's, while the sign-in is fresh.
    Shot("users", "admin", "/console/users"),
    Shot("user-new", "admin", "/console/users/new"),
    Shot("tokens", "admin", "/console/tokens"),
    Shot("second-factor", "admin", "/account/second-factor"),
    Shot("roles", "admin", "/console/roles"),
    Shot("settings", "admin", "/console/settings"),
    Shot("sign-in", None, "/sign-in", "#password"),
    Shot("account", "operator", "/account"),
    Shot("help", "operator", "/help"),
    Shot("notifications", "operator", "/console/notifications"),
    Shot("retention", "admin", "/oversight/retention"),
    Shot("holds", "admin", "/oversight/holds"),
    Shot("disclosures", "admin", "/oversight/disclosures"),
    Shot("data-requests", "manager", "/oversight/requests"),
    Shot("erasures", "manager", "/erasures"),
    Shot("assessments", "admin", "/oversight/assessments"),
    # The registry.
    Shot("find", "manager", "/registry", do=hands.finding("3-1-502"), top="#home-title"),
    Shot("person", "manager", f"/registry/people/{cast.RESIDENT_A}"),
    Shot("household", "manager", f"/registry/households/{cast.HOUSEHOLD_A}"),
    Shot("dwelling", "manager", f"/registry/dwellings/{cast.DWELLING_A}"),
    Shot("passes", "manager", "/registry/passes"),
    Shot(
        "pass-made",
        "manager",
        "/registry/passes",
        do=hands.giving_a_pass({"zh-CN": "云A52183", "en": "云B71F06"}, "3-1-502"),
    ),
    Shot("visitor", None, "{pass}"),
    Shot("watch-list", "manager", "/console/watchlist"),
    Shot("registry-reports", "manager", "/registry/reports"),
    Shot("import", "manager", "/registry/import"),
    Shot("gate", "gate", "/registry/gate", "#list li"),
    Shot(
        "gate-plate",
        "gate",
        "/registry/gate",
        do=hands.asking_for_a_plate(cast.PLATE_COURIER),
        top="#plate-title",
    ),
    Shot("gate-offline", "gate", "/registry/gate/offline", "#list li"),
    # Devices, rules, who is told.
    Shot("device-new", "admin", "/console/devices/new"),
    Shot("bench", "admin", "/console/bench", do=hands.trying_a_message("hh-guest-face"), top="#way-title"),
    Shot("recognition", "admin", "/console/recognition"),
    Shot("rules", "admin", "/console/rules"),
    Shot("rule", "admin", "/console/rules/R-B05"),
    Shot("rules-file", "admin", "/console/rules/file"),
    Shot("routes", "operator", "/console/routes"),
    Shot("roster", "operator", "/console/roster", do=hands.turning_on("next")),
    Shot("roster-rules", "admin", "/console/roster/rules"),
    Shot("calendar", "admin", "/console/roster/calendar"),
    Shot("patrols", "operator", "/console/patrols"),
    Shot("drills", "manager", "/console/drills"),
    Shot("disputes", "operator", "/console/disputes"),
    Shot("work-orders", "operator", "/console/work-orders"),
    # On the way, and at home.
    Shot("patrol", "volunteer", "/phone/patrol"),
    Shot("duty", "volunteer", "/phone/duty"),
    Shot("report", "volunteer", "/phone/report"),
    Shot("me", "volunteer", "/phone/me"),
    Shot("my", "resident", "/my"),
    Shot("my-visitors", "resident", "/my/visitors"),
    Shot("my-reports", "resident", "/my/reports"),
    Shot("my-data", "resident", "/my/data"),
    Shot("my-looks", "resident", "/my/looks"),
    Shot("my-rights", "resident", "/my/rights"),
)
# While things happen: before anybody is sent.
HAPPENING: Final = (
    Shot("desk", "operator", "/console?incident={watched}", "#detail article", dark=True, faces=False),
    Shot("plan", "operator", "/console", "#queue"),
    Shot("incident", "operator", "/console?incident={door}", "#detail article", top="#detail article"),
    Shot("wall", "operator", "/console/wall", "#wall .map", sizes=(SCREEN,), dark=True),
)
OFFERED: Final = (
    Shot("sent", "operator", "/console?incident={door}", "#detail article", top="#detail article"),
    Shot("task-offered", "volunteer", "/phone", "[data-task][data-state=offered]"),
)
ACCEPTED: Final = (Shot("task-accepted", "volunteer", "/phone", "[data-task][data-state^=accepted]"),)
ARRIVED: Final = (Shot("task-arrived", "volunteer", "/phone", "[data-task][data-state^=arrived]"),)
SENDING: Final = (*OFFERED, *ACCEPTED, *ARRIVED)
DURING: Final = (*HAPPENING, *SENDING)
# Looking back, once the evening is over.
OVER: Final = (
    Shot("evening", "operator", "/console?incident={evening}", "#detail article", top="#detail article"),
    Shot("timeline", "operator", "/console/incidents/{evening}/timeline"),
    Shot("why", "operator", "/console/incidents/{watched}/why"),
    Shot("place", "operator", "/console/places/hh-east-gate"),
    Shot("history", "operator", "/console/history"),
    Shot(
        "search",
        "operator",
        "/console/search",
        do=hands.searching(cast.PLATE_WATCHED),
        top="#hits-title",
        faces=False,
    ),
    Shot("coverage", "operator", "/console/coverage"),
    Shot("devices", "operator", "/console/devices"),
    Shot("device", "admin", "/console/devices/hh-garage-plate", faces=False),
    Shot("refused", "operator", "/console/refused"),
    Shot("reviews", "operator", "/console/reviews"),
    Shot("review", "operator", "/console/reviews/{evening}"),
    Shot("measures", "operator", "/console/measures"),
    Shot("reports", "operator", "/console/reports?span=month"),
    Shot("month", "operator", "/console/reports/month"),
    Shot("handovers", "operator", "/console/handovers"),
    Shot("handover", "operator", "{handover}"),
    Shot("tasks-none", "volunteer", "/phone"),
    Shot("audit", "admin", "/audit"),
)
ALL: Final = (*STANDING, *DURING, *OVER)


def names(languages: Iterable[str]) -> set[str]:
    """Every picture that is taken."""
    return {name for language in languages for shot in ALL for name in shot.names(language)}
