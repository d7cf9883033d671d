"""What the phone's scripts say of a press that waits, was sent or refused; and the pages that use them."""

from typing import Any, Final

from fastapi.responses import HTMLResponse

from console.pages.view import Frame, render
from console.texts import Texts

# Why an answer of the phone may be refused: each has its text under `refused.`.
_CODES: Final = (
    *("not_offered", "not_leading", "not_under_way", "already_ended", "off_duty", "busy_graver"),
    *("volunteer_violence", "nobody_to_lead", "code_not_of_place", "press_too_old", "dispatch_not_found"),
    *("no_responder", "forbidden", "patrol_too_old", "patrol_point_not_found"),
)
_WORDS: Final = ("waiting", "sent", "refused", "help_waiting", "help_refused", "seen", "full", "unkept")
# What came of a press that was taken, where it is not what was meant: by reply and the state it led to.
_OUTCOMES: Final = {
    "accept.taken": "taken",
    "accept.declined": "off_duty",
    "accept.cancelled": "called_off",
    "no_photo": "no_photo",
    "photo_late": "photo_late",
}


def words(t: Texts) -> dict[str, Any]:
    """The texts of `console/static/pressing.js`."""
    return {
        **{name: t(f"press.{name}") for name in (*_WORDS, "sign_in", "sign_out")},
        "call": t("phone.call_110"),
        "outcomes": {key: t(f"press.{name}") for key, name in _OUTCOMES.items()},
        "codes": {code: t.code("refused", code) for code in _CODES} | {"other": t("press.other")},
    }


def phone_page(view: Frame, template: str, *, bare: bool = False, **facts: Any) -> HTMLResponse:
    """A page of the phone. `bare`: the one that opens without a network and knows nobody."""
    return render(view, template, pressing_words=words, shell=bare, **facts)
