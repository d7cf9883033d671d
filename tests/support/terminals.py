"""A face terminal of the facesluice family as its maker describes it, by hands of its own.

It takes one batch at a time, keeps what an edit does not name, fetches pictures itself, and
answers person by person. Nothing here comes from the adapter.
"""

import json
from collections.abc import Callable
from typing import Any


class FaceTerminal:
    """`entries`: customId → what lies there. `fetch` gives a picture's bytes, None for a failure."""

    def __init__(self, name: str, fetch: Callable[[str], bytes | None] | None = None) -> None:
        self.name = name
        self.entries: dict[str, dict[str, Any]] = {}
        self.heard: list[dict[str, Any]] = []
        self.fetch = fetch or (lambda _url: b"\xff\xd8 a face")
        # How many of the next batches it is too busy for.
        self.busy = 0
        # By whose entry it says why not: customId → the maker's code.
        self.faults: dict[str, int] = {}
        # Whether any picture is without a usable face for it.
        self.blind = False

    @property
    def down(self) -> str:
        return f"mqtt/face/{self.name}"

    @property
    def up(self) -> str:
        return f"mqtt/face/{self.name}/Ack"

    def reset(self) -> None:
        """Somebody has pressed the button on its back."""
        self.entries.clear()

    def hear(self, payload: bytes) -> bytes | None:
        """Does what it is told and gives its answer, as bytes on `up`."""
        message = json.loads(payload)
        self.heard.append(message)
        operator = message["operator"]
        if operator not in {"EditPersonsNew", "DeletePersons"}:
            return None
        info: dict[str, Any] = {"facesluiceId": self.name}
        if self.busy:
            self.busy -= 1
            return self._answer(message, 410, info | {"result": "fail"})
        if message["DataBegin"] != "BeginFlag" or message["DataEnd"] != "EndFlag":
            return self._answer(message, 412, info | {"result": "fail"})
        if operator == "EditPersonsNew":
            return self._edit(message, info)
        there = [ref for ref in message["info"]["customId"] if self.entries.pop(ref, None) is not None]
        missing = [ref for ref in message["info"]["customId"] if ref not in there]
        info |= {
            "DelErrNum": str(len(missing)),
            "DelSucNum": str(len(there)),
            "DelErrInfo": [{"customId": ref} for ref in missing],
            "DelSucInfo": [{"customId": ref} for ref in there],
        }
        return self._answer(message, 200, info | {"result": "ok"})

    def _edit(self, message: dict[str, Any], info: dict[str, Any]) -> bytes:
        if message["PersonNum"] != len(message["info"]):
            return self._answer(message, 417, info | {"result": "fail"})
        wrong, right = [], []
        for person in message["info"]:
            ref = person["customId"]
            code = self.faults.get(ref) or self._fault(person)
            if code:
                wrong.append({"customId": ref, "errcode": str(code)})
                continue
            self.entries[ref] = self.entries.get(ref, {}) | person
            right.append({"customId": ref})
        info |= {
            "AddErrNum": str(len(wrong)),
            "AddSucNum": str(len(right)),
            "AddErrInfo": wrong,
            "AddSucInfo": right,
        }
        return self._answer(message, 200, info | {"result": "ok"})

    def _fault(self, person: dict[str, Any]) -> int:
        if "picURI" not in person:
            return 0
        picture = self.fetch(person["picURI"])
        if picture is None:
            return 465
        return 468 if self.blind else 0

    def _answer(self, message: dict[str, Any], code: int, info: dict[str, Any]) -> bytes:
        told = {
            "messageId": message["messageId"],
            "operator": f"{message['operator']}-Ack",
            "code": str(code),
            "info": info,
        }
        return json.dumps(told).encode()
