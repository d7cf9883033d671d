"""Frigate: a tracked object is told as new, update and end; plates and faces as they are made out."""

import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire, encoded, to_millisecond


class FrigateWire(Wire):
    adapter = "frigate"
    can: ClassVar = frozenset(["plate.recognised", "face.identified", "video.intrusion"])
    beat_s = 60
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._root = place.root or "frigate"

    def will(self) -> Message:
        return Message(f"{self._root}/available", b"offline", retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"{self._root}/available", b"online", retain=True)]

    def beat(self, at: dt.datetime) -> list[Message]:
        cameras = {name: {"camera_fps": 5.1, "detection_fps": 0.4} for name in self.place.behind}
        return [
            Message(f"{self._root}/stats", encoded({"cameras": cameras, "service": {"version": "0.16.2"}}))
        ]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        began = to_millisecond(at)
        number = f"{began.timestamp():.6f}-s{self.next():05d}"
        fact = Fact(what.kind, number, began, what.device)
        if what.kind == "video.intrusion":
            return [
                self._review("new", number, what, began, fact),
                self._review("end", number, what, began, fact),
            ]
        if what.kind == "face.identified":
            face = {
                "type": "face",
                "id": number,
                "name": what.person,
                "score": max(what.score or 0.0, 0.91),
                "camera": what.device,
                "timestamp": began.timestamp() + 1.5,
            }
            attempt = face | {"score": 0.4, "timestamp": began.timestamp() + 0.5}
            # Each attempt is published, the unsure ones too.
            return [
                *(self._object("new", number, "person", what, began, 0.0, ())),
                self._said("tracked_object_update", attempt, ()),
                self._said("tracked_object_update", face, (fact,)),
                *(self._object("end", number, "person", what, began, 4.0, ())),
            ]
        plate = {
            "type": "lpr",
            "id": number,
            "plate": what.plate,
            "score": what.score or 0.9,
            "camera": what.device,
            "timestamp": began.timestamp() + 1.0,
        }
        return [
            *(self._object("new", number, "car", what, began, 0.0, ())),
            self._said("tracked_object_update", plate, (fact,)),
            *(self._object("update", number, "car", what, began, 2.0, (fact,))),
            *(self._object("end", number, "car", what, began, 4.0, (fact,))),
        ]

    def _object(
        self,
        step: str,
        number: str,
        label: str,
        what: Happening,
        began: dt.datetime,
        after_s: float,
        facts: tuple[Fact, ...],
    ) -> list[Message]:
        start = began.timestamp()
        after: dict[str, Any] = {
            "id": number,
            "camera": what.device,
            "frame_time": start + after_s,
            "label": label,
            "sub_label": None,
            "top_score": 0.86,
            "score": 0.81,
            "false_positive": False,
            "start_time": start,
            "end_time": start + after_s if step == "end" else None,
            "box": [424, 500, 536, 712],
            "entered_zones": ["gate"],
            "has_snapshot": True,
            "has_clip": True,
        }
        if what.plate and step != "new":
            after["recognized_license_plate"] = what.plate
            after["recognized_license_plate_score"] = what.score or 0.9
        return [self._said("events", {"type": step, "before": after, "after": after}, facts)]

    def _review(self, step: str, number: str, what: Happening, began: dt.datetime, fact: Fact) -> Message:
        after = {
            "id": number,
            "camera": what.device,
            "start_time": began.timestamp(),
            "end_time": began.timestamp() + 5 if step == "end" else None,
            "severity": "alert",
            "thumb_path": "/media/frigate/clips/review/thumb.webp",
            "data": {
                "detections": [number],
                "objects": ["person"],
                "sub_labels": [],
                "zones": ["yard"],
                "audio": [],
            },
        }
        return self._said("reviews", {"type": step, "before": after, "after": after}, (fact,))

    def _said(self, leaf: str, body: dict[str, Any], facts: tuple[Fact, ...]) -> Message:
        # `mqtt.qos: 1`, as our installer's guide has it. The end must not overtake the beginning.
        return Message(f"{self._root}/{leaf}", encoded(body), qos=1, facts=facts, ordered=True)
