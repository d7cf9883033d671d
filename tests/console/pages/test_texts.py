"""The catalogues: complete in both languages, and with a text for every code that can reach a page."""

import ast
import re
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace

import pytest

from alerts.dispatch.models import DispatchState
from alerts.duty.models import TeamKind
from alerts.handover.rules import EntryKind, Side
from alerts.incidents.deadlines import Timer
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, ReopenReason, State
from alerts.review.counting import Outcome
from alerts.review.rules import AlertVerdict, Cause, MeasureState, RaterKind
from console.accounts.models import Role
from console.api.purposes import Purpose
from console.pages.queue import why
from console.texts import LOCALES, load, negotiate
from devices.enrolments import OrderState
from devices.models import DeviceKind, Stage
from devices.onboarding import Missing, Reason
from privacy.assessment import SECTIONS
from privacy.breach import BreachClass
from privacy.disclosures import DisclosureScope
from privacy.erasure.keeps import KeepReason
from privacy.filing import FilingLevel
from privacy.holds import HoldState, HoldSubject
from privacy.models import DisclosureState, ErasureKind, RequestKind, RequestState, StepState
from privacy.requests import Correctable
from privacy.retention import CLASSES
from recognition.decisions import FaceOutcome, PlateOutcome
from recognition.images import Broken
from registry.models import (
    ApplicationState,
    ConsentPurpose,
    GivenBy,
    LegalBasis,
    PassDirection,
    PassKind,
    PassState,
    Ring,
    WatchlistSubject,
)
from registry.passes.admission import PassReason
from registry.passes.expected import When
from registry.passes.hosts import HostKind

ROOT = Path(__file__).parents[3]

ENUMS: list[tuple[str, type[StrEnum]]] = [
    ("state", State),
    ("false_alarm", FalseAlarmReason),
    ("reopen", ReopenReason),
    ("past", ReopenReason),
    ("timer", Timer),
    ("comparison", Comparison),
    ("dispatch", DispatchState),
    ("ring", Ring),
    ("device", DeviceKind),
    ("stage", Stage),
    ("to_stage", Stage),
    ("stage_reason", Reason),
    ("missing", Missing),
    ("role", Role),
    ("team", TeamKind),
    ("purpose", ConsentPurpose),
    ("given_by", GivenBy),
    ("basis", LegalBasis),
    ("pass_kind", PassKind),
    ("pass_state", PassState),
    ("pass_reason", PassReason),
    ("pass_direction", PassDirection),
    ("pass_list", When),
    ("host", HostKind),
    ("watch_subject", WatchlistSubject),
    ("application", ApplicationState),
    ("look", Purpose),
    ("erasure", ErasureKind),
    ("step", StepState),
    ("keep", KeepReason),
    ("subject_request", RequestKind),
    ("request_state", RequestState),
    ("correctable", Correctable),
    ("delete_order", OrderState),
    ("hold_subject", HoldSubject),
    ("hold", HoldState),
    ("disclosure", DisclosureState),
    ("disclosure_scope", DisclosureScope),
    ("filing", FilingLevel),
    ("breach", BreachClass),
    ("decision", Broken),
    ("photo", Broken),
    ("cause_code", Cause),
    ("alert_verdict", AlertVerdict),
    ("rater", RaterKind),
    ("measure_state", MeasureState),
    ("measure_to", MeasureState),
    ("outcome_sum", Outcome),
    ("side", Side),
    ("sign_as", Side),
    ("handover_entry", EntryKind),
]

CODES = {
    "severity": "1 2 3 4",
    "rule": "R-E01 R-E04 R-E09 R-B05 R-D01",
    "kind": "person.unknown_passed vehicle.unregistered watchlist.hit door.forced device.offline",
    "advice": "person.unknown_passed vehicle.unregistered watchlist.hit door.forced device.offline other",
    "call": "person.unknown_passed vehicle.unregistered watchlist.hit door.forced device.offline other",
    "reason": "unknown_passed unregistered_plate watchlist_hit door_forced device_offline unknown_passed.plain "
    "unregistered_plate.plain watchlist_hit.plain watchlist_hit.of_plate watchlist_hit.of_credential door_forced.plain device_offline.plain night",
    "cause": "silence last_will",
    "suggest": "on_duty routed_team posted_here busy free",
    "deadletter": "clock_far_off picture_unreadable broker_auth_failed broker_forbidden_topic broker_too_large "
    "worker_gave_up picture_kills_worker push_auth_failed spool_corrupt spool_expired spool_not_stored",
    "source": "mqtt broker bus",
    "mark": "resent jpeg_named_png erased",
    "step_place": "database passages media keys gallery terminal backup bus",
    "comparison_plate": "match not_match cannot_tell",
    "past": "condition_over declined sensor reviewed took_in gave_back merged merged_by_rule merge_undone split_off link_right "
    "link_wrong timeout_acknowledge timeout_confirm timeout_dispatch timeout_accept timeout_arrive timeout_resolve "
    "timeout_review",
    "known_later": "belongs registered household vehicle",
    "refused": "not_from_here reason_required comparison_required comparison_negative stale nobody_named "
    "unknown_responder not_offered not_leading already_ended not_found no_responder "
    "note_required already_decided second_person_required answers_differ merge_self merge_ended merge_merged merge_further "
    "merge_care merge_undone merge_not_last merge_worked_on not_probable proposal_decided proposal_other "
    "link_unanswered incident_ended",
    "condition": "on off never disabled",
    "picture": "face plate vehicle body scene",
    "direction": "in out",
}


def keys_of(locale: str) -> frozenset[str]:
    return load(locale).keys


def test_both_catalogues_have_the_same_keys() -> None:
    assert keys_of("zh_CN") == keys_of("en")


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_is_empty_or_marked_as_doubtful(locale: str) -> None:
    for path in (ROOT / "console" / "texts" / locale).glob("*.po"):
        body = path.read_text().split("\n\n", 1)[1]
        assert "fuzzy" not in body
        assert not re.search(r'msgstr ""\n\n', body + "\n\n")


def test_both_languages_fill_the_same_blanks() -> None:
    for key in keys_of("en"):
        blanks = [
            set(re.findall(r"%\((\w+)\)s", load(locale)._translations.gettext(key))) for locale in LOCALES
        ]
        assert blanks[0] == blanks[1], key


@pytest.mark.parametrize(("group", "members"), ENUMS, ids=[f"{g}-{e.__name__}" for g, e in ENUMS])
def test_every_member_of_an_enumeration_has_a_text(group: str, members: type[StrEnum]) -> None:
    assert {f"{group}.{member}" for member in members} <= keys_of("zh_CN")


@pytest.mark.parametrize("group", CODES)
def test_every_code_has_a_text(group: str) -> None:
    assert {f"{group}.{code}" for code in CODES[group].split()} <= keys_of("zh_CN")


def test_every_outcome_of_recognition_has_a_text() -> None:
    neither = ["no_usable_picture", "unprocessed"]
    faces = {f"outcome.face.{outcome}" for outcome in [*FaceOutcome, "no_face", "no_usable_face", *neither]}
    plates = {f"outcome.plate.{outcome}" for outcome in [*PlateOutcome, "no_plate", *neither]}
    assert faces | plates <= keys_of("en")


def sources(*names: str) -> list[ast.Module]:
    """The modules of these rooms and files, parsed."""
    paths = [
        p for name in names for p in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
    ]
    return [ast.parse(path.read_text()) for path in sorted(paths)]


def literals(*nodes: ast.AST) -> set[str]:
    return {
        n.value
        for node in nodes
        for n in ast.walk(node)
        if isinstance(n, ast.Constant)
        and isinstance(n.value, str)
        and re.fullmatch(r"[a-z][a-z0-9_]*", n.value)
    }


def called(node: ast.AST) -> str:
    """The name of what a call calls: `f(…)`, `x.f(…)`."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def test_every_reason_for_which_a_message_is_refused_has_a_text() -> None:
    given: set[str] = set()
    for module in sources("ingest", "devices/adapters"):
        for node in ast.walk(module):
            if called(node) == "RefusedError" and node.args:
                given |= literals(node.args[0])
    for module in sources("bus/embedded.py"):
        given |= {code for code in literals(module) if code.startswith("broker_")}
    assert {"malformed_json", "not_understood", "bad_base64", "broker_auth_failed"} <= given
    for locale in LOCALES:
        assert {f"deadletter.{code}" for code in given} <= keys_of(locale)


def test_every_reason_at_the_receivers_door_and_in_the_spool_has_a_text() -> None:
    given: set[str] = set()
    for module in sources("ingest/push/receiver.py", "ingest/push/drain.py"):
        for node in ast.walk(module):
            if called(node) in {"note", "_owe"}:
                given |= literals(node.args[0])
            elif called(node) == "_set_aside":
                given |= literals(node.args[1])
    assert {"push_auth_failed", "too_large", "spool_corrupt", "spool_expired", "spool_not_stored"} <= given
    for locale in LOCALES:
        assert {f"deadletter.{code}" for code in given} <= keys_of(locale)


def test_every_mark_an_event_can_carry_has_a_text() -> None:
    given: set[str] = set()
    for module in sources("devices/adapters", "ingest"):
        for node in ast.walk(module):
            if called(node) == "mark":
                given |= literals(node.args[1])
            elif isinstance(node, ast.keyword) and node.arg == "marks":
                given |= literals(node.value)
            elif (called(node) == "append" and getattr(node.func.value, "id", "") == "marks") or called(
                node
            ) == "Timing":
                given |= literals(*node.args)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if "marks" in {getattr(target, "id", "") for target in targets} and node.value:
                    given |= literals(node.value)
    # A reading's own field of that name is no mark.
    given.discard("marks")
    assert {"clock_skew", "bad_base64", "picture_unreadable", "zone_assumed"} <= given
    for locale in LOCALES:
        assert {f"mark.{code}" for code in given} <= keys_of(locale)


# Constants that are reasons.
_REASONS = {"BY_DEVICE", "DIFFERS", "AGREES", "ENGINE_CRASHED"}


def test_every_reason_a_decision_gives_has_a_text() -> None:
    """Read from the code that decides, so that a new reason without a text fails here.

    A reason is a code in a tuple of codes, in what `_fetch` returns, in a key of `failures`,
    or in an answer, a finding or a report that is made of them.
    """
    given: set[str] = set()
    for module in sources("recognition"):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and node.name in {"_fetch", "_why_not", "_fault"}:
                given |= literals(*(n for n in ast.walk(node) if isinstance(n, ast.Return)))
            elif isinstance(node, ast.Assign):
                names = {getattr(getattr(target, "value", target), "id", "") for target in node.targets}
                if "failures" in names and isinstance(node.value, ast.Dict):
                    given |= literals(*(key for key in node.value.keys if key))
                elif names & {"reasons", "own", "crowd", "asserted", "troubles"}:
                    given |= literals(node.value)
            elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in _REASONS:
                given |= literals(node.value) if node.value else set()
            elif called(node) in {"answer", "PlateDecision", "QualityReport", "RefusedPortrait"} or (
                called(node) == "insert" and getattr(node.func.value, "id", "") == "reasons"
            ):
                given |= literals(*node.args)
            elif isinstance(node, ast.Return):
                tuples = [
                    n
                    for n in ast.walk(node)
                    if isinstance(n, ast.Tuple) and not any(called(e) for e in n.elts)
                ]
                given |= literals(*(t for t in tuples if all(isinstance(e, ast.Constant) for e in t.elts)))
    assert {
        "within_threshold",
        "no_plate",
        "blurred",
        "second_opinion_differs",
        "picture_missing",
        "not_live",
    } <= given
    assert {"face_not_found", "visitor_pass", "always_allowed"} <= given
    assert {"device_match_differs", "device_score_low", "asserted_not_enrolled", "past_ttl"} <= given
    given |= {"device_match_not_trusted", "watchlist_gallery", "asserted_nobody", "embedding_useless"}
    for locale in LOCALES:
        assert {f"decision.{code}" for code in given} <= keys_of(locale)


def test_every_reason_against_a_portrait_has_a_text() -> None:
    given: set[str] = set()
    for module in sources("recognition/enrolment.py"):
        for node in ast.walk(module):
            if called(node) == "RefusedPortrait":
                given |= literals(*node.args)
    assert {"no_face", "several_faces"} <= given
    assert {f"photo.{code}" for code in given} <= keys_of("en")


def test_every_refusal_of_passes_and_the_watch_list_has_a_text() -> None:
    given: set[str] = set()
    for module in sources("registry/passes", "registry/watchlist"):
        for node in ast.walk(module):
            if called(node) == "RefusedError" and node.args:
                given |= literals(node.args[0])
    assert {"pass_over", "host_not_here", "two_people", "plate_malformed"} <= given
    for locale in LOCALES:
        assert {f"refused.{code}" for code in given} <= keys_of(locale)


def test_every_refusal_of_holds_disclosures_and_filing_has_a_text() -> None:
    given = {f"hold_{state}" for state in HoldState} - {"hold_applied"}
    for module in sources(
        "privacy/holds.py", "privacy/disclosures.py", "privacy/export.py", "privacy/filing.py"
    ):
        for node in ast.walk(module):
            if called(node) == "RefusedError" and node.args:
                given |= {code for code in literals(node.args[0]) if code != "hold_"}
    assert {"hold_ends", "disclosure_window", "disclosure_too_large", "filing_done", "two_people"} <= given
    for locale in LOCALES:
        assert {f"refused.{code}" for code in given} <= keys_of(locale)


def test_every_class_of_retention_and_section_of_an_assessment_has_a_text() -> None:
    wanted = {f"retention.{one.name}" for one in CLASSES} | {f"pia_section.{name}" for name in SECTIONS}
    for locale in LOCALES:
        assert wanted <= keys_of(locale)


def test_every_text_a_template_or_page_asks_for_exists() -> None:
    asked: set[str] = set()
    for path in (ROOT / "console" / "templates").rglob("*.html"):
        asked |= set(re.findall(r'\bt\("([\w.]+)"', path.read_text()))
        asked |= set(re.findall(r"\bt\('([\w.]+)'", path.read_text()))
        asked |= {
            key
            for pair in re.findall(r'\bt\("([\w.]+)" if [^)]*? else "([\w.]+)"', path.read_text())
            for key in pair
        }
        asked |= {
            f"{group}.{code}"
            for group, code in re.findall(r't\.code\("(\w+)", "([\w.]+)"\)', path.read_text())
        }
    for path in (ROOT / "console" / "pages").glob("*.py"):
        asked |= set(re.findall(r'\bt\(f?"([\w.]+)"', path.read_text()))
    asked |= {
        f"measure.{name}"
        for name in re.findall(
            r'\("(\w+)", (?:_|reading|args|t\.)', (ROOT / "console/pages/detail.py").read_text()
        )
    }
    assert len(asked) > 150
    known = keys_of("en")
    # What is put together from a code has at least one text that begins so.
    parts = {key for key in asked if key.endswith((".", "_"))}
    assert asked - parts <= known
    assert {part for part in parts if not any(key.startswith(part) for key in known)} == set()


def test_a_code_without_a_text_is_shown_as_it_is() -> None:
    assert load("en").code("state", "teleported") == "teleported"


@pytest.mark.parametrize(
    ("chosen", "header", "locale"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        (None, "zh-Hant-TW", "zh_CN"),
        (None, "en-GB,en;q=0.9,zh;q=0.1", "en"),
        (None, "fr-FR,zh;q=0.3", "zh_CN"),
        (None, "fr", "en"),
        (None, None, "en"),
        (None, "zh;q=0", "en"),
        (None, "zh;q=rubbish", "en"),
        ("en", "zh-CN", "en"),
        ("zh-CN", "en", "zh_CN"),
        ("klingon", "zh-CN", "zh_CN"),
    ],
)
def test_the_language_is_what_was_chosen_else_what_the_browser_asks_for(
    chosen: str | None, header: str | None, locale: str
) -> None:
    assert negotiate(chosen, header) == locale


def test_a_sentence_without_its_facts_uses_the_plain_form() -> None:
    texts = load("en")
    assert "Plate 云A1" in texts.sentence("reason.unregistered_plate", {"plate": "云A1", "window_s": 60})
    assert "%(" not in texts.sentence("reason.unregistered_plate", {})


def test_a_watch_list_hit_says_on_what() -> None:
    def why_of(**args: str) -> str:
        hit = SimpleNamespace(reason="watchlist_hit", reason_args={"entry_id": "e-1", **args})
        return why(load("en"), hit, "Gate")

    assert "云M12345" in why_of(plate="云M12345")
    assert "credential" in why_of(credential="c-1")
    assert "compare" in why_of(distance="0.3")
