"""The words of letters, for the role that sends them: the console's own catalogue."""

from alerts.notify.letters import Words
from console.letters import LetterWords
from ringward.foundation import Foundation


def words(foundation: Foundation) -> Words:
    """What says every notification, in Chinese and in English."""
    return LetterWords(foundation.database)
