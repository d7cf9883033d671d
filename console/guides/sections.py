"""Which section of which guide a page's question mark leads to."""

from fnmatch import fnmatchcase
from typing import Final

from console.guides.shelf import GUIDES

# The first pattern that fits decides; `*` stands for anything, also for more of the path.
SECTIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("/my/visitors*", "residents-guide", "visitors"),
    ("/my/reports*", "residents-guide", "telling-the-control-room"),
    ("/my/rights*", "residents-guide", "consents-corrections-erasure"),
    ("/my", "residents-guide", ""),
    ("/my*", "residents-guide", "your-data-and-who-looked"),
    ("/console/incidents/*/timeline", "operators-guide", "timeline-of-an-incident"),
    ("/console/incidents*", "operators-guide", "what-to-do-with-one"),
    ("/console/wall", "operators-guide", "the-wall"),
    ("/console/places*", "operators-guide", "the-plan"),
    ("/console/history", "operators-guide", "looking-back"),
    ("/console/search", "operators-guide", "looking-back"),
    ("/console/coverage", "operators-guide", "looking-back"),
    ("/console/reviews*", "operators-guide", "review-一事一评"),
    ("/console/measures*", "operators-guide", "review-一事一评"),
    ("/console/reports*", "administrators-guide", "reviews-the-month-drills"),
    ("/console/handovers*", "operators-guide", "hand-over"),
    ("/console/disputes*", "operators-guide", "what-people-tell"),
    ("/console/work-orders*", "operators-guide", "what-people-tell"),
    ("/console/drills*", "operators-guide", "drills"),
    ("/console/roster*", "administrators-guide", "rosters"),
    ("/console/patrols*", "operators-guide", "other-pages"),
    ("/console/watchlist*", "administrators-guide", "watch-list"),
    ("/console/bench*", "installers-guide", "the-test-bench"),
    ("/console/refused*", "installers-guide", "one-device-ten-minutes"),
    ("/console/devices*", "installers-guide", "one-device-ten-minutes"),
    ("/console/recognition*", "administrators-guide", "how-cameras-do-and-their-thresholds"),
    ("/console/rules*", "administrators-guide", "rules"),
    ("/console/routes*", "administrators-guide", "who-is-told-of-what"),
    ("/console/notifications*", "administrators-guide", "ways-to-reach-people"),
    ("/console/users*", "administrators-guide", "people-who-sign-in"),
    ("/console/roles*", "administrators-guide", "people-who-sign-in"),
    ("/console/tokens*", "administrators-guide", "people-who-sign-in"),
    ("/console/settings*", "administrators-guide", "settings-on-a-page"),
    ("/console*", "operators-guide", "the-live-page"),
    ("/audit*", "administrators-guide", "audit"),
    ("/oversight/retention*", "administrators-guide", "how-long-things-are-kept"),
    ("/oversight*", "administrators-guide", "oversight"),
    ("/erasures*", "administrators-guide", "erasing-a-person"),
    ("/registry/gate*", "guards-card", ""),
    ("/registry/passes*", "administrators-guide", "visitors"),
    ("/registry*", "administrators-guide", "fill-the-registry"),
    ("/phone/duty*", "volunteers-guide", "shifts"),
    ("/phone/me*", "volunteers-guide", "what-is-shown-and-what-is-kept"),
    ("/phone/report*", "operators-guide", "what-people-tell"),
    ("/phone*", "volunteers-guide", "you-are-asked"),
)


def section_for(path: str, role: str) -> str:
    """The address of the help that fits a page; the list of guides where none of the role's does."""
    for pattern, name, anchor in SECTIONS:
        if fnmatchcase(path, pattern) and role in GUIDES[name].roles:
            return f"/help/{name}" + (f"#{anchor}" if anchor else "")
    return "/help"
