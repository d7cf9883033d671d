"""Words of reports, disputes, work orders and drills, complete in both languages and naming nobody."""

import pytest

from alerts.drills.scenarios import SCENARIOS
from alerts.drills.timing import MEASURED
from alerts.intake.disputes import STEPS
from alerts.intake.faults import EVERY
from alerts.intake.feedback import Stage
from alerts.intake.kinds import VIOLENCE, Danger, ReportKind
from alerts.intake.models import DisputeState, WorkOrderState
from alerts.notify.models import NotificationState
from console.texts import load

WORDS = {
    "report_kind": list(ReportKind),
    "kind": [*(kind.incident_kind for kind in ReportKind), VIOLENCE],
    "danger": list(Danger),
    "report_stage": list(Stage),
    "dispute_state": list(DisputeState),
    "dispute_step": sorted({to for targets in STEPS.values() for to in targets}),
    "order_state": list(WorkOrderState),
    "order_step": [*(state for state in WorkOrderState if state != "open"), "again"],
    "fault_code": list(EVERY),
    "scenario": list(SCENARIOS),
    "drill_step": list(MEASURED),
    "drill_letter": list(NotificationState),
    "reason": ["reported", "reported_danger", "reported_violence"],
    "did": [
        *("report.taken", "dispute.viewed", "work_order.opened", "drill.started", "drill.ended"),
        *(f"dispute.{state}" for state in DisputeState if state != "open"),
        *(f"work_order.{state}" for state in WorkOrderState if state != "open"),
    ],
    "past": ["mediator", "settled", "test_drill"],
    "refused": [
        *("place_unknown", "device_unknown", "report_time", "report_words", "too_many_reports"),
        *("report_kind_missing", "photo_given", "report_over", "report_not_found", "no_picture"),
        *("dispute_taken", "dispute_step", "meeting_missing", "agreement_missing", "dispute_text"),
        *("dispute_not_found", "time_unreadable", "work_order_not_found", "order_step", "order_note"),
        *("order_responder", "order_again", "order_fault", "place_missing", "merge_drill"),
        *("scenario_unknown", "drill_running", "drill_limit", "drill_place", "drill_not_found"),
    ],
}


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
@pytest.mark.parametrize("group", WORDS)
def test_every_code_has_words_in_both_languages(group: str, locale: str) -> None:
    assert {f"{group}.{code}" for code in WORDS[group]} <= load(locale).keys


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_feedback_is_a_few_words_without_a_blank_for_anybody(locale: str) -> None:
    texts = load(locale)
    for stage in Stage:
        said = texts(f"report_stage.{stage}")
        assert 0 < len(said) <= 80
        assert "%(" not in said


def test_chinese_is_chinese() -> None:
    texts = load("zh_CN")
    for group in ("report_kind", "report_stage", "dispute_state", "order_state", "fault_code", "scenario"):
        for code in WORDS[group]:
            assert any("一" <= c <= "鿿" for c in texts(f"{group}.{code}")), code
