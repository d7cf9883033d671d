"""The demo: the compound Honghua with its people, its devices and the story of a weekday.

`build_demo` writes the compound, `enrol_demo` enrols two residents, `DemoPlayer` plays `weekday()` through
simulated devices, `DemoPeople` play those who answer the evening's alarm, and `publish_folder` sends a
user's own pictures.
Everything is invented; portraits and the typeface come from installed packages.
"""

from ringward.demo.compound import Totals, TotalsError, build_demo, totals
from ringward.demo.credentials import DemoCredentials
from ringward.demo.day import DAY_S, Scene, timeline, weekday
from ringward.demo.enrolment import EnrolmentFailedError, enrol_demo
from ringward.demo.people import DemoPeople
from ringward.demo.pictures import DemoPictures
from ringward.demo.player import DemoPlayer
from ringward.demo.portraits import PortraitMissingError
from ringward.demo.publish import Sent, publish_folder

__all__ = [
    "DAY_S",
    "DemoCredentials",
    "DemoPeople",
    "DemoPictures",
    "DemoPlayer",
    "EnrolmentFailedError",
    "PortraitMissingError",
    "Scene",
    "Sent",
    "Totals",
    "TotalsError",
    "build_demo",
    "enrol_demo",
    "publish_folder",
    "timeline",
    "totals",
    "weekday",
]
