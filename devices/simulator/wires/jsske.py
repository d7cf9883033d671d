"""Real-name terminals of jsske: the facesluice grammar with a site's code in the topic.

The heartbeat's topic is the site's; the terminal is called `{code}:{id}` with us.
"""

from typing import ClassVar

from devices.simulator.wires.facesluice import FacesluiceWire


class JsskeWire(FacesluiceWire):
    adapter = "jsske"
    can: ClassVar[frozenset[str]] = frozenset(["access.granted", "access.denied"])
    beat_s = 60

    @property
    def branch(self) -> str:
        return f"mqtt/device/{self._site}/{self._id}"

    @property
    def _site(self) -> str:
        return self.place.name.partition(":")[0]

    @property
    def _id(self) -> str:
        return self.place.name.partition(":")[2]

    @property
    def _basic(self) -> str:
        return f"mqtt/device/{self._site}/basic"

    @property
    def _heartbeat(self) -> str:
        return f"mqtt/device/{self._site}/heartbeat"
