"""The test bench: what would become of a message, step by step, without anything coming of it."""

import base64
import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from console.accounts.models import User
from console.api import deadletters as letters_api
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.places import Names, names
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.tryout import Tried, TriedMessage
from devices.adapters import ADAPTERS, matches, speaking
from devices.adapters.account import account
from devices.adapters.contract import MAX_BYTES, Incoming
from devices.directory import DeviceFacts, facts_of
from devices.models import Device
from devices.rights import rights_of
from devices.simulator.wires import WIRES, Happening, Place

router = APIRouter(prefix="/console/bench")
Editor = Annotated[User, may(Action.DEVICES_EDIT)]
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Bench:
    """What stands in the form. `encoding`: text, or base64 where the bytes are none."""

    device: str = ""
    adapter: str = ""
    topic: str = ""
    content_type: str = ""
    encoding: str = "text"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: `ok`, `bad`, or `idle` where it was not reached or there is nothing to do."""

    key: str
    state: str
    lines: Sequence[str] = ()
    codes: Sequence[tuple[str, str]] = field(default_factory=tuple)


@router.get("")
def page(
    request: Request,
    user: Editor,
    device: Annotated[str, Query(max_length=64)] = "",
    example: Annotated[str, Query(max_length=64)] = "",
    letter: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """The form; `example` fills it with what the device would say, `letter` with a refused message."""
    here = rooms(request)
    facts = _device(here, device)
    if letter:
        return _page(request, _of_letter(here, user, letter))
    if facts is None:
        return _page(request, Bench(device=device))
    return _page(request, _example(here, facts, example))


@router.post("")
async def try_it(request: Request, user: Editor) -> Response:
    """Tries what stands in the form, or the file."""
    del user
    form = await request.form(max_files=1, max_fields=12, max_part_size=2 * MAX_BYTES)
    given = {name: str(form.get(name, ""))[: 2 * MAX_BYTES] for name in Bench.__slots__}
    bench = Bench(**given | {name: given[name].strip()[:500] for name in ("device", "adapter", "topic")})
    file = form.get("file")
    if isinstance(file, UploadFile) and file.size:
        body: bytes | None = await file.read(MAX_BYTES + 1)
        bench = _holding(bench, body or b"")
    else:
        body = _bytes(bench)
    return await run_in_threadpool(_tried, request, bench, body)


def _tried(request: Request, bench: Bench, body: bytes | None) -> Response:
    here, view = rooms(request), frame(request)
    if body is None or not body or len(body) > MAX_BYTES or not bench.topic:
        code = (
            "bench_base64" if body is None else "bench_too_large" if len(body) > MAX_BYTES else "bench_empty"
        )
        return _page(request, bench, refused=code, status=422)
    facts = _device(here, bench.device)
    adapter = ADAPTERS.get(bench.adapter) or next(iter(speaking(bench.topic)), None)
    content_type = bench.content_type or None
    told = account(adapter, Incoming(bench.topic, body, content_type)) if adapter else None
    tried = None
    if here.tryout is not None:
        signed_in = facts.device_id if facts is not None and content_type is not None else None
        tried = here.tryout(here.compound, TriedMessage(bench.topic, body, content_type, signed_in))
    with here.database.read() as session:
        known = names(session, here.compound)
    steps = _steps(view, known, facts, bench, body, told, tried)
    return _page(request, bench, steps=steps, told=told)


def _steps(
    view: Frame,
    known: Names,
    facts: DeviceFacts | None,
    bench: Bench,
    body: bytes,
    told: Mapping[str, Any] | None,
    tried: Tried | None,
) -> list[Step]:
    t = view.t
    steps = [_received(view, facts, bench, body)]
    if told is None:
        return [*steps, Step("read", "bad", [t("bench.no_adapter")])]
    if told["refused"]:
        reason, detail = told["refused"]["reason"], told["refused"]["detail"]
        return [*steps, Step("read", "bad", [t.code("deadletter", reason)], [(reason, detail)])]
    read = [
        t(
            "bench.read_sum",
            events=len(told["events"]),
            signs=len(told["signs"]),
            results=len(told["results"]),
        )
    ]
    if told["ignored"]:
        read.append(t("bench.ignored", code=told["ignored"]))
    if told["dropped"]:
        read.append(t("bench.dropped", n=len(told["dropped"])))
    steps.append(
        Step("read", "ok", read, [("partial", told["partial"]["detail"])] if told["partial"] else ())
    )
    if tried is None:
        return [*steps, Step("believed", "idle", [t("bench.not_here")])]
    if tried.refused and not tried.events:
        reason, detail = tried.refused
        return [*steps, Step("believed", "bad", [t.code("deadletter", reason)], [(reason, detail)])]
    steps.append(Step("believed", "ok", [t("bench.believed")]))
    return [*steps, _stored(view, known, tried), _seen(view, tried), _raised(view, known, tried)]


def _received(view: Frame, facts: DeviceFacts | None, bench: Bench, body: bytes) -> Step:
    t = view.t
    lines = [t("bench.bytes", n=f"{len(body):,}")]
    if facts is None or bench.content_type or facts.gateway is not None:
        return Step("received", "ok", lines)
    levels = bench.topic.split("/")
    if any(matches(one.split("/"), levels) for one in rights_of(facts).publish):
        return Step("received", "ok", [*lines, t("bench.may_publish")])
    return Step("received", "bad", [*lines, t("bench.may_not_publish")])


def _stored(view: Frame, known: Names, tried: Tried) -> Step:
    t = view.t
    lines = []
    for one in tried.events:
        what = t.code("event", one.type)
        way = f" · {t.code('direction', one.direction)}" if one.direction else ""
        where = f"{known.device(one.device)} · {t.code('ring', one.ring)} · {known.zone(one.zone)}{way}"
        lines.append(f"{what}: {where} · {view.clock(one.at)}")
        lines += [t.code("mark", mark) for mark in one.marks]
        if one.late:
            lines.append(t("bench.late"))
        if one.known:
            lines.append(t("bench.known"))
    lines += [
        t("bench.sign_on" if online else "bench.sign_off", device=known.device(device))
        for device, online in tried.signs
    ]
    if not lines:
        return Step("stored", "idle", [t("bench.nothing_stored")])
    state = "bad" if tried.refused else "ok"
    codes = [tried.refused] if tried.refused else ()
    return Step("stored", state, lines, codes)


def _seen(view: Frame, tried: Tried) -> Step:
    roles = [role for one in tried.events for role in one.pictures]
    if not roles:
        return Step("recognised", "idle", [view.t("bench.no_pictures")])
    words = view.t("list.comma").join(view.t.code("picture", role) for role in roles)
    return Step("recognised", "ok", [view.t("bench.to_recognition", pictures=words)])


def _raised(view: Frame, known: Names, tried: Tried) -> Step:
    t = view.t
    if not tried.heard:
        return Step("raised", "idle", [t("bench.rules_not_asked")])
    lines = [
        t(
            "bench.would_raise",
            severity=t.code("severity", str(one.severity)),
            kind=t.code("kind", one.kind),
            rule=one.rule,
            zone=known.zone(one.zone),
        )
        for one in tried.incidents
    ]
    if tried.muted:
        lines.append(t("bench.muted", n=tried.muted))
    return Step("raised", "ok", lines or [t("bench.nothing_raised")])


def _page(
    request: Request,
    bench: Bench,
    *,
    steps: Sequence[Step] = (),
    told: Mapping[str, Any] | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    facts = _device(here, bench.device)
    with here.database.read() as session:
        devices = session.execute(
            select(Device.id, Device.name)
            .where(Device.compound == here.compound, Device.retired_at.is_(None))
            .order_by(Device.name, Device.id)
        ).all()
    wire = WIRES.get(facts.adapter) if facts is not None else None
    return render(
        view,
        "bench.html",
        status=status,
        bench=bench,
        devices=devices,
        facts=facts,
        examples=sorted(wire.can) if wire else [],
        adapters=sorted(ADAPTERS.values(), key=lambda one: one.title),
        steps=steps,
        told=told,
        events=list(told["events"])[:_SHOWN] if told else [],
        shown=_fields,
        refused=refused,
    )


def _fields(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What an adapter made of a message, without what is empty."""
    return [
        (name, str(value))
        for name, value in event.items()
        if name != "type" and value not in (None, [], {}, (), False)
    ]


def _device(here: Rooms, device_id: str) -> DeviceFacts | None:
    if not device_id:
        return None
    with here.database.read() as session:
        facts = facts_of(session, device_id)
    return facts if facts is not None and facts.compound == here.compound else None


def _example(here: Rooms, facts: DeviceFacts, kind: str) -> Bench:
    """What the device would say of such an event, as its vendor's devices write it."""
    blank = Bench(device=facts.device_id, adapter=facts.adapter, topic=_topic_of(facts))
    wire = WIRES.get(facts.adapter)
    if wire is None or kind not in wire.can or facts.gateway is not None:
        return blank
    with here.database.read() as session:
        behind = session.scalars(
            select(Device.external_id).where(
                Device.gateway == facts.device_id, Device.external_id.is_not(None)
            )
        ).all()
    place = Place(
        facts.compound,
        facts.device_id,
        facts.name_on_wire,
        facts.time_zone,
        behind=tuple(name for name in behind if name),
    )
    happening = Happening(
        kind,
        device=place.behind[0] if place.behind else None,
        plate="云MTEST1" if kind.startswith("plate.") else None,
        score=0.93,
        direction=facts.direction,
        size=1200 if kind.split(".", maxsplit=1)[0] in {"face", "plate", "video"} else 0,
    )
    said = wire(place).tell(happening, here.clock.now() - dt.timedelta(seconds=1))
    if not said:
        return blank
    made = Bench(
        device=facts.device_id,
        adapter=facts.adapter,
        topic=said[0].topic,
        content_type=said[0].content_type or "",
    )
    return _holding(made, said[0].body)


def _of_letter(here: Rooms, user: User, letter_id: str) -> Bench:
    full = letters_api.dead_letter(here, user, letter_id, Purpose.REGISTRY_MAINTENANCE)
    made = Bench(
        device=full.device_id or "",
        adapter=full.adapter or "",
        topic=full.topic,
        content_type=str(full.context.get("content_type") or ""),
    )
    return _holding(made, base64.b64decode(full.raw_base64 or ""))


def _topic_of(facts: DeviceFacts) -> str:
    may_publish = rights_of(facts).publish
    if not may_publish:
        return ""
    if facts.adapter == "native":
        return may_publish[0].replace("#", "event")
    return may_publish[0].rstrip("#").replace("+", facts.name_on_wire)


def _holding(bench: Bench, body: bytes) -> Bench:
    """The form with these bytes in it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    encoding = "text"
    if not text or any(not one.isprintable() and one not in "\r\n\t" for one in text):
        text, encoding = base64.b64encode(body).decode(), "base64"
    return Bench(bench.device, bench.adapter, bench.topic, bench.content_type, encoding, text)


def _bytes(bench: Bench) -> bytes | None:
    """The bytes that stand in the form; None where they are no base64."""
    if bench.encoding != "base64":
        return bench.body.encode()
    try:
        return base64.b64decode("".join(bench.body.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
