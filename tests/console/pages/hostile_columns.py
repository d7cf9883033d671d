"""Which columns hold what somebody else may word: all that hold text but for those that are named here.

A new column is in it by itself. One that is named here without being a column is an error (`unknown`).
"""

import enum
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

import ringward.schema  # noqa: F401 - every table
from storage import Base
from storage.columns import EncryptedText, JsonText

# Why a column cannot hold somebody's wording, and which: `table.column`, or `*.column` for every table's.
EXCEPTIONS: Final[dict[str, str]] = {
    "who did it: the id of an account or a responder, which we give": """
        *.actor *.author *.made_by *.asked_by *.approved_by *.ended_by *.decided_by *.lifted_by *.closed_by *.done_by
        *.started_by *.reviewer *.applicant *.approver *.known_by *.replay_asked_by *.undone_by *.changed_by
        *.enabled_by *.declared_by *.received_by *.requested_by *.ordered_by *.flagged_by *.answered_by *.tested_by
        *.sign_checked_by *.privacy_checked_by *.verified_by *.walk_asked_by grids.worker grids.deputy
        handover_signatures.user search_counts.user intake_reports.reporter disputes.mediator
        incident_tellings.quiet_by""",
    "the id of a row, or of a thing of our own, which we give": """
        *.compound *.incident *.dispatch *.person *.person_id *.household_id *.vehicle_id *.head_person_id *.responder
        *.responder_id *.team *.zone *.building *.device *.device_id *.event *.event_id *.sighting_id *.contact *.bundle
        *.swap *.shift *.back *.schedule *.guardian *.post *.roster *.push *.run *.media_id *.moved_from *.merged_into
        *.visitor_pass *.entry *.renews *.lead_of *.row_id *.running *.key *.open_key *.active_key *.message_id
        devices.sign_photo terminal_enrolments.picture terminal_enrolments.refused_picture place_aliases.place
        situation_notes.place rule_mutes.place shifts.place measures.need incident_evidence.event_ids
        incident_evidence.sighting_ids teams.zones credentials.zones visitor_passes.zones zones.neighbours
        legal_holds.subject outbox.subject alert_leases.holder alert_leases.stream alert_evaluators.only
        role_leases.holder role_leases.waiting
        notification_attempts.holder merge_proposals.first merge_proposals.second delete_orders.ref
        terminal_enrolments.ref dead_letters.became users.compounds users.provider_key audit.subject
        rosters.slots erasures.person import_changes.table""",
    "a digest, a key or a secret that we draw": """
        *.token_hash *.code_hash *.text_hash *.content_hash *.request_hash *.export_hash *.facts_hash *.row_hash
        *.previous_hash *.archive_hash *.secret_hash *.secret_pbkdf2 *.previous_secret_hash *.previous_secret_pbkdf2
        *.password_hash *.digest *.code_digest *.former_digest *.csrf_token *.browser_hash *.nonce *.sealed
        *.name_key *.phone_key *.id_key *.ref_key *.card_key *.tail_key *.address_key *.content_mark *.sent
        contacts.secret second_factors.secret provider_requests.verifier provider_requests.next_path
        device_streams.password device_streams.certificate""",
    "a word of a list that the code holds": """
        *.role *.applicant_role *.action *.purpose *.state *.from_state *.to_state *.kind *.method *.engine
        *.engine_version *.retention_class *.ring *.direction *.walk_asked *.walk_said *.walk_heard_type *.mode *.rule
        *.channel *.comparison *.subject_kind *.outcome *.leader *.gallery *.stage *.face *.doing *.quiet_why *.held_by
        *.held_reason *.level *.advice *.parameter *.fault *.scenario *.source *.adapter *.rules_version *.lack *.theme
        *.language *.time_zone *.profile *.stage_reason *.route *.receiver *.number
        incident_transitions.reason incident_asides.reason incidents.reason merge_proposals.reason
        incidents.false_alarm_reason embedding_photos.reason dead_letters.reason decisions.reasons
        rule_proposals.reasons dispatches.result plan_steps.answer incident_answers.answer delete_orders.cause
        device_status.cause import_jobs.error contacts.error device_streams.error notification_attempts.error
        api_tokens.scopes patrol_schedules.weekdays patrol_schedules.day_kinds patrol_schedules.times
        watchlist_entries.recipients watchlist_applications.recipients device_observations.types events.marks
        event_amendments.marks events.type event_amendments.type""",
    "numbers, moments and words of ours in a form that the code draws up": """
        face_templates.embedding zones.outline camera_views.region incidents.blind incident_evidence.trace incident_merges.before
        decisions.candidates decisions.quality decisions.thresholds handovers.facts patrol_rounds.plan pia_reports.facts
        rule_files.findings import_jobs.counts idempotency_keys.response threshold_proposals.grounds
        erasure_steps.detail
        erasure_steps.place disclosures.scope silences.matchers""",
    "a number that an office gives, checked digit by digit where it comes in": """
        communities.code subdistricts.code grids.code devices.gb28181_code organisations.registration_no""",
    "an address that is checked as such where it comes in": "device_streams.url",
    "the file of rules, checked line by line before it is kept, and why a trial of it ended": """
        rule_versions.text rule_trials.text rule_trials.why""",
}
# What an exception names for every table, and yet is a stranger's here: a letter's topic says what it likes.
_ALL_THE_SAME: Final = frozenset({"dead_letters.device_id", "dead_letters.outcome", "calendar_years.source"})


@dataclass(frozen=True)
class FreeText:
    """A column that takes any words, and the attribute of its row by which it is set."""

    table: str
    column: str
    attribute: str
    most: int

    @property
    def place(self) -> str:
        return f"{self.table}.{self.column}"


def mappers() -> list[Mapper[Any]]:
    return sorted(Base.registry.mappers, key=lambda m: str(m.local_table.key))


def free_texts(mapper: Mapper[Any]) -> Iterator[FreeText]:
    """The columns of one table that hold what somebody else words; JSON counts as text."""
    table = mapper.local_table
    hints = typing.get_type_hints(mapper.class_)
    for column in table.columns:
        place, attribute = f"{table.name}.{column.name}", mapper.get_property_by_column(column).key
        if excepted(place):
            continue
        if attribute.startswith("sealed_") and isinstance(
            getattr(mapper.class_, attribute.removeprefix("sealed_"), None), property
        ):
            yield FreeText(table.name, column.name, attribute.removeprefix("sealed_"), 200)
        elif (
            isinstance(column.type, sa.String | EncryptedText | JsonText)
            and not column.primary_key
            and not column.foreign_keys
            and not is_word(hints.get(attribute))
        ):
            yield FreeText(table.name, column.name, attribute, getattr(column.type, "length", None) or 5_000)


def excepted(place: str) -> bool:
    named = {f"*.{place.split('.')[1]}", place}
    return place not in _ALL_THE_SAME and any(named & set(columns.split()) for columns in EXCEPTIONS.values())


def unknown() -> list[str]:
    """Exceptions that name no column."""
    places = {f"{m.local_table.name}.{c.name}" for m in mappers() for c in m.local_table.columns}
    places |= {f"*.{place.split('.')[1]}" for place in places}
    return [one for columns in EXCEPTIONS.values() for one in columns.split() if one not in places]


def words_of(hint: Any) -> Iterator[type[enum.Enum]]:
    """The enumerations in an annotation."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield hint
    for part in typing.get_args(hint):
        yield from words_of(part)


def is_word(hint: Any) -> bool:
    return next(words_of(hint), None) is not None
