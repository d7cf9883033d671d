"""The ways that need nobody else: our own open pages, and the list of whom the operator calls.

Nothing is carried here. The try itself, in the log of tries, is the letter: the page asks for what was
handed over to it and not received, and gives a receipt when it has shown it. A page that was closed
finds what waited when it is opened again.
"""

from typing import ClassVar

from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.models import ChannelKind


class PhonePage:
    """The open page on a responder's phone."""

    kind: ClassVar[ChannelKind] = ChannelKind.PHONE_PAGE
    stays_inside: ClassVar[bool] = True

    async def send(self, to: Address, letter: Letter) -> Outcome:
        del to, letter
        return Outcome(Result.HANDED_OVER)


class ControlRoom:
    """The sound of the control room: every open console page of the compound."""

    kind: ClassVar[ChannelKind] = ChannelKind.CONSOLE
    stays_inside: ClassVar[bool] = True

    async def send(self, to: Address, letter: Letter) -> Outcome:
        del to, letter
        return Outcome(Result.HANDED_OVER)


class Telephone:
    """A number that the operator is shown: a person calls, never the machine.

    So it counts as handed over when it stands on the operator's list, and as received when the operator
    says that somebody answered. A call leaves the house: an exercise asks for none.
    """

    kind: ClassVar[ChannelKind] = ChannelKind.TELEPHONE
    stays_inside: ClassVar[bool] = False

    async def send(self, to: Address, letter: Letter) -> Outcome:
        del letter
        return Outcome(Result.HANDED_OVER) if to.address.strip() else Outcome(Result.REFUSED, "no_number")
