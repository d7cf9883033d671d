"""The rows of `pages_world` and one of every further table, with a hostile text wherever one is free."""

import datetime as dt
import hashlib
import typing
from typing import Any, Final

import sqlalchemy as sa
from hostile import Marked
from hostile_columns import FreeText, free_texts, mappers, words_of
from sqlalchemy.orm import Mapper, Session

from registry.passes.visiting import TOKEN_PREFIX
from storage import Base
from storage.columns import Encrypted, EncryptedText, JsonText, UtcTime

# The row of another table that a new row belongs to, where several would do.
_OF: Final = {
    "compounds": "honghua", "devices": "cam-east", "zones": "gate-east", "incidents": "i-face", "users": "u-operator",
    "people": "p-1", "responders": "r-li", "teams": "t-vol", "households": "h-1", "buildings": "house-b3",
}  # fmt: skip
# What a column without a foreign key names, and words that the code knows, by column.
_GIVEN: Final[dict[str, Any]] = {
    "compound": "honghua", "zone": "gate-east", "place": "gate-east", "device": "cam-east", "device_id": "cam-east",
    "person": "p-1", "incident": "i-face", "team": "t-vol", "responder": "r-li", "building": "house-b3",
    "event_id": "e-face", "sighting_id": "s-e-face", "dispatch": "d-plate", "ring": "entrance",
    "reporter": "u-resident", "user": "u-operator", "author": "u-operator", "actor": "u-operator",
    "applicant": "u-police", "made_by": "u-operator", "started_by": "u-operator", "asked_by": "u-operator",
    "reviewer": "u-operator", "received_by": "u-manager", "ordered_by": "u-admin", "flagged_by": "u-operator",
    "requested_by": "u-resident", "role": "operator", "applicant_role": "police",
    "number": "110", "language": "zh-CN", "time_zone": "Asia/Shanghai", "rule": "R-E01", "fault": "lighting",
    "scenario": "e01_unknown_face", "mode": "heightened", "channel": "webpush", "state": "open",
    "type": "face.captured", "action": "incident.acknowledged", "purpose": "incident_handling", "severity": 3,
    "retention_class": "passage", "running": None, "ended_by": None,
    "done_by": None,
}  # fmt: skip
# JSON that a device or a person may word, as it comes; each text in it becomes a hostile one.
_JSON: Final[dict[str, Any]] = {
    "dead_letters.context": {"client": "…", "user": "…"},
    "device_candidates.facts": {"vendor": "…", "model": "…", "address": "…", "name": "…"},
    "device_commands.arguments": {"text": "…"},
    "device_observations.facts": {"vendor": "…", "model": "…", "firmware": "…", "serial": "…"},
    "events.body": {
        "plate": {"text": "…", "colour": "…"},
        "attributes": {"what": "…"},
        "text": "…",
        "person_ref": "…",
    },
    "incidents.reason_args": {"plate": "…", "lane": "…", "cause": "…", "name": "…", "text": "…"},
    "import_faults.facts": {"value": "…", "header": "…"},
    "import_jobs.error_facts": {"sheet": "…", "header": "…"},
    "notifications.arguments": {"place": "…", "device": "…", "text": "…", "lane": "…"},
    "subject_requests.detail": {"what": "…", "old": "…", "new": "…", "reason": "…"},
    "responders.skills": ["…"],
    "route_groups.labels": {"zone": "…"},
    "audit.detail": {"text": "…"},
}
# What the code itself draws up, in its form.
_FORMS: Final[dict[str, Any]] = {
    "camera_views.region": None,
    "disclosures.scope": {"kind": "person", "id": "p-1"},
    "legal_holds.subject": "p-1",
    "threshold_proposals.grounds": {
        "right": 40, "false": 3, "promised": 0.01, "towards": "stricter", "rate_low": 0.02, "rate_high": 0.2,
    },
    "rosters.slots": [],
    "rule_proposals.advice": "parameter",
    "filing_tasks.level": "warning",
    "legal_holds.subject_kind": "person",
    "patrol_rounds.plan": {
        "name": "<b rwx>", "in_order": False, "least_s": None, "most_s": None, "tolerance_min": 5,
        "points": [{"id": "patrol_checkpoints-id", "name": "…", "zone": "gate-east", "device": None}],
    },
}  # fmt: skip
# Tables that only the code itself fills, each row in a form that a page could not do without.
UNMADE: Final = frozenset(
    {"audit", "audit_checkpoints", "outbox", "pia_reports", "provider_requests", "second_factors", "half_sign_ins",
     "rule_versions", "rule_files", "idempotency_keys", "alert_leases", "alert_evaluators", "role_leases", "round_turns",
     "gallery_changes", "gallery_holders", "gallery_revisions", "duty_feeds",
     "handovers", "handover_entries", "handover_signatures"}
)  # fmt: skip
# What the rows' tokens are drawn from, where somebody comes by a link of their own.
TOKEN: Final = "rwx-token-of-thirty-two-letters-"
_TOKENS: Final = ("incident_ratings.token_hash", "setup_links.token_hash", "visitor_passes.token_hash",
                  "patrol_checkpoints.code_digest")  # fmt: skip
_LATER: Final = frozenset(
    {"ends_at", "until", "expires_at", "due_at", "to_at", "ends_on", "due_on", "valid_until"}
)


def fill(session: Session, at: dt.datetime) -> dict[str, str]:
    """One row of every table that has none; gives the tables that could not be filled, and why."""
    failed: dict[str, str] = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in UNMADE and not session.scalar(sa.select(sa.func.count()).select_from(table)):
            try:
                with session.begin_nested():
                    session.add(_row(session, _mapper(table), at))
            except sa.exc.SQLAlchemyError as error:
                failed[table.name] = f"{type(error).__name__}: {error}"
    return failed


def put(session: Session, next_text: Marked) -> None:
    """Sets every free text of every row to the next hostile one."""
    for mapper in mappers():
        texts = list(free_texts(mapper))
        for row in session.scalars(sa.select(mapper.class_)).all() if texts else ():
            for text in texts:
                _set(row, text, next_text)
    session.flush()


def _set(row: Any, text: FreeText, next_text: Marked) -> None:
    if text.column == "subject" and getattr(row, "subject_kind", None) != "plate":
        return
    value = getattr(row, text.attribute)
    if isinstance(type(row).__table__.c[text.column].type, JsonText):
        sample = _JSON.get(text.place)
        if isinstance(sample, dict) and isinstance(value, dict):
            value = {**_without_texts(value), **sample}
        elif value in (None, [], {}):
            value = value if sample is None else sample
        setattr(row, text.attribute, _spoiled(value, text, next_text))
    else:
        setattr(row, text.attribute, next_text(text.place, text.most))


def _without_texts(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if not isinstance(one, str)}


def _spoiled(value: Any, text: FreeText, next_text: Marked) -> Any:
    match value:
        case dict():
            return {
                key: one if key == "pictures" else _spoiled(one, text, next_text)
                for key, one in value.items()
            }
        case list():
            return [_spoiled(one, text, next_text) for one in value]
        case str():
            return next_text(text.place, text.most)
        case _:
            return value


def _mapper(table: sa.Table) -> Mapper[Any]:
    return next(m for m in mappers() if m.local_table is table)


def _row(session: Session, mapper: Mapper[Any], at: dt.datetime) -> Any:
    table = mapper.local_table
    hints = typing.get_type_hints(mapper.class_)
    values: dict[str, Any] = {}
    for column in table.columns:
        attribute = mapper.get_property_by_column(column).key
        if (value := _value(session, column, hints.get(attribute), at)) is not _NOTHING:
            values[attribute] = value
    return mapper.class_(**{k: v for k, v in values.items() if not k.startswith("sealed_")})


_NOTHING: Final = object()


def _value(session: Session, column: sa.Column[Any], hint: Any, at: dt.datetime) -> Any:
    for key in column.foreign_keys:
        target = key.column.table
        if target is column.table:
            return None
        asked = sa.select(key.column)
        known = session.scalar(asked.where(key.column == _OF.get(target.name))) or session.scalar(
            asked.limit(1)
        )
        return known if known is not None or column.nullable else _NOTHING
    place = f"{column.table.name}.{column.name}"
    if place in _FORMS:
        return _FORMS[place]
    for kind in words_of(hint):
        named = _GIVEN.get(column.name)
        word = kind(named) if named in list(kind) else next(iter(kind))
        return [word] if isinstance(column.type, JsonText) else word
    if column.name in _GIVEN:
        given = _GIVEN[column.name]
        return given if given is not None or column.nullable else _NOTHING
    if place in _JSON:
        return _JSON[place]
    if place in _TOKENS:
        return hashlib.sha256((TOKEN_PREFIX + TOKEN if "pass" in place else TOKEN).encode()).hexdigest()
    if column.default is not None or column.server_default is not None:
        return _NOTHING
    kind = column.type
    if isinstance(kind, UtcTime | sa.Date) and column.nullable and column.name not in _LATER:
        return None
    if isinstance(kind, UtcTime):
        return at + dt.timedelta(days=1) if column.name in _LATER else at - dt.timedelta(minutes=3)
    if isinstance(kind, sa.Date):
        return at.date() + dt.timedelta(days=9 if column.name in _LATER else -9)
    if isinstance(kind, JsonText):
        return {} if "dict" in str(hint) else []
    if isinstance(kind, Encrypted | sa.LargeBinary):
        return b"x"
    if isinstance(kind, sa.String):
        return f"{column.table.name}-{column.name}"[: kind.length]
    if isinstance(kind, EncryptedText):
        return "…"
    if column is column.table.autoincrement_column:
        return _NOTHING
    return True if isinstance(kind, sa.Boolean) else 1


def spoiled(rooms: Any, visit: Any) -> Marked:
    """A compound of such rows; a hand-over is made of them as the product makes it."""
    marked = Marked()
    with rooms.database.write() as session:
        assert fill(session, rooms.clock.now()) == {}
    with rooms.database.write() as session:
        put(session, marked)
    made = visit("operator").post("/console/handovers").headers["location"]
    for side in ("outgoing", "incoming"):
        visit("operator").post(
            f"{made}/entries", data={"text": marked("handover_entries.text"), "side": side}
        )
    return marked
