"""What makes each alert speak, and its nearest harmless case, in which it is silent.

Values are written as promtool writes them, a minute apart: `0+5x20` rises by 5 for 20 minutes, `_x5` is absent.
`at` is minutes after the start; an alert that waits must be silent at half of its waiting.
"""

from dataclasses import dataclass
from typing import Final

Series = dict[str, str]
R: Final = "ringward_"
UP: Final = '{job="ringward",instance="a"}'


@dataclass(frozen=True, slots=True)
class Case:
    alert: str
    fires: Series
    quiet: Series
    at: int


def case(alert: str, at: int, fires: Series, quiet: Series) -> Case:
    return Case(alert, fires, quiet, at)


def gauge(alert: str, at: int, name: str, bad: float, good: float) -> Case:
    """One series that stands at a value."""
    return Case(alert, {name: f"{bad}x{at}"}, {name: f"{good}x{at}"}, at)


def counter(alert: str, at: int, name: str, bad: float, good: float) -> Case:
    """One series that rises by so much a minute."""
    return Case(alert, {name: f"0+{bad}x{at}"}, {name: f"0+{good}x{at}"}, at)


def histogram(name: str, labels: str, slow: str, bad: bool) -> Series:
    """Ten observations a minute, all of them above the bucket `slow` or all below."""
    below = "0x60" if bad else "0+10x60"
    return {
        f'{name}_bucket{{{labels},le="0.1"}}': below,
        f'{name}_bucket{{{labels},le="{slow}"}}': below,
        f'{name}_bucket{{{labels},le="60"}}': "0+10x60",
        f'{name}_bucket{{{labels},le="+Inf"}}': "0+10x60",
    }


def devices(away: int) -> Series:
    return {
        f'{R}devices_devices{{compound="c",state="{state}"}}': f"{count}x60"
        for state, count in (("away", away), ("online", 100 - away), ("unheard", 0))
    }


def judged(share: float, names: int) -> Series:
    return {
        f'{R}recognition_false_match_share{{compound="c"}}': f"{share}x120",
        f'{R}recognition_judged_matches{{compound="c"}}': f"{names}x120",
    }


def replicas(current: int) -> Series:
    return {
        f'{R}bus_stream_replicas{{stream="ringward"}}': "3x20",
        f'{R}bus_stream_replicas_current{{stream="ringward"}}': f"{current}x20",
    }


def late(share: float) -> Series:
    return {
        f'{R}ingest_events_total{{live="false"}}': f"0+{100 * share}x60",
        f'{R}ingest_events_total{{live="true"}}': f"0+{100 * (1 - share)}x60",
    }


def sent(taken: int) -> Series:
    return {
        f'{R}notify_attempts_total{{kind="sms",result="failed"}}': "0+2x20",
        f'{R}notify_attempts_total{{kind="sms",result="handed_over"}}': f"0+{taken}x20",
    }


def answers(wrong: int) -> Series:
    return {
        f'{R}console_request_seconds_count{{surface="api",status="5xx"}}': f"0+{wrong}x30",
        f'{R}console_request_seconds_count{{surface="api",status="2xx"}}': "0+100x30",
    }


def disk(free: str) -> Series:
    return {
        f'{R}storage_disk_free_bytes{{place="data",instance="a"}}': free,
        f'{R}storage_disk_size_bytes{{place="data",instance="a"}}': "100000000000x600",
    }


def files(opened: int) -> Series:
    return {f"process_open_fds{UP}": f"{opened}x20", f"process_max_fds{UP}": "1000x20"}


def connections(used: int) -> Series:
    return {f"{R}storage_connections_in_use{UP}": f"{used}x20", f"{R}storage_connections_limit{UP}": "10x20"}


def keeper(age: str) -> Series:
    """Taken every minute, or long ago."""
    return {f'{R}measures_taken_timestamp_seconds{{group="waits"}}': age}


DAY: Final = 86400

CASES: Final = (
    # Processes
    gauge("RingwardDown", 3, f"up{UP}", 0, 1),
    case("RingwardNoKeeper", 6, {"up": "1x10"}, keeper("0+60x10")),
    case("RingwardMeasuresStand", 12, keeper("0x20"), keeper("0+60x20")),
    case(
        "RingwardRoleUnattended",
        2,
        {f'{R}roles_lease_held{{role="relay",instance="{i}"}}': "0x5" for i in "ab"},
        {f'{R}roles_lease_held{{role="relay",instance="{i}"}}': f"{n}x5" for i, n in (("a", 0), ("b", 1))},
    ),
    counter("RingwardLeasesFail", 5, f"{R}roles_lease_rounds_failed_total{UP}", 10, 1),
    case(
        "RingwardRestarts", 50,
        {f"process_start_time_seconds{UP}": "0+600x60"}, {f"process_start_time_seconds{UP}": "0x30 600x30"},
    ),
    gauge("RingwardMemory", 20, f"process_resident_memory_bytes{UP}", 1.7e9, 1.5e9),
    case("RingwardFiles", 10, files(900), files(700)),
    case(
        "RingwardVersionsMixed", 1500,
        {f'{R}build_info{{version="{v}"}}': "1x1500" for v in ("1", "2")},
        {f'{R}build_info{{version="1",instance="{v}"}}': "1x1500" for v in ("a", "b")},
    ),
    case("RingwardConnectionsUsedUp", 8, connections(10), connections(8)),
    # Ingest
    case(
        "RingwardNotListening", 3,
        {f'{R}ingest_connected{{instance="{i}"}}': "0x5" for i in "ab"},
        {f'{R}ingest_connected{{instance="{i}"}}': f"{n}x5" for i, n in (("a", 0), ("b", 1))},
    ),
    counter("RingwardCannotCommit", 5, f"{R}ingest_failed_commits_total", 1, 0),
    gauge("RingwardIngestBehind", 3, f"{R}ingest_queued_bytes", 7e7, 6e7),
    gauge("RingwardSpoolWaits", 3, f"{R}ingest_spool_oldest_seconds", 301, 299),
    gauge("RingwardSpoolAside", 1, f"{R}ingest_spool_aside", 1, 0),
    case(
        "RingwardPushesTurnedAway", 5,
        {f'{R}ingest_pushes_total{{status="503"}}': "0+1x5"}, {f'{R}ingest_pushes_total{{status="200"}}': "0+9x5"},
    ),
    case(
        "RingwardStreamAway", 8,
        {f'{R}ingest_streams{{state="away"}}': "1x9"}, {f'{R}ingest_streams{{state="connected"}}': "4x9"},
    ),
    counter("RingwardHearsNothing", 50, f'{R}ingest_events_total{{live="true"}}', 0, 1),
    counter("RingwardRefuses", 14, f'{R}ingest_refused_total{{reason="not_json"}}', 3, 1),
    case("RingwardLateData", 40, late(0.3), late(0.1)),
    counter("RingwardFlood", 15, f'{R}ingest_suppressed_total{{type="motion"}}', 100, 10),
    # Bus
    counter("RingwardBusFails", 5, f"{R}bus_relay_failures_total", 2, 0.1),
    gauge("RingwardOutboxWaits", 4, f"{R}bus_outbox_messages", 3, 0),
    gauge("RingwardOutboxOld", 2, f"{R}storage_outbox_oldest_seconds", 40, 20),
    gauge("RingwardWeeksMissing", 70, f"{R}storage_event_pieces_ahead", 1, 4),
    gauge("RingwardEventsWithoutWeek", 70, f"{R}storage_event_rest_rows", 3, 0),
    case("RingwardReplicaAway", 8, replicas(2), replicas(3)),
    case(
        "RingwardConsumerWaits", 4,
        {f'{R}bus_consumer_oldest_seconds{{consumer="openings"}}': "200x5"},
        {f'{R}bus_consumer_oldest_seconds{{consumer="recognition"}}': "200x5"},
    ),
    gauge("RingwardRedeliveries", 18, f'{R}bus_consumer_redelivered_messages{{consumer="openings"}}', 1, 0),
    gauge("RingwardDeadLetters", 70, f'{R}bus_dead_letters_open{{source="mqtt"}}', 501, 499),
    # Recognition
    case(
        "RingwardRecognitionAway", 4,
        {f'{R}recognition_ready{{process="r1"}}': "0x5"},
        {f'{R}recognition_ready{{process="r1"}}': "0x5", f'{R}recognition_ready{{process="r2"}}': "1x5"},
    ),
    case(
        "RingwardRecognitionAway", 4,
        {f'{R}bus_consumer_pending_messages{{consumer="recognition-gates"}}': "9x5"},
        {f'{R}bus_consumer_pending_messages{{consumer="recognition-gates"}}': "0x5"},
    ),
    case(
        "RingwardGatesWait", 3,
        {f'{R}bus_consumer_oldest_seconds{{consumer="recognition-gates"}}': "11x4"},
        {f'{R}bus_consumer_oldest_seconds{{consumer="recognition"}}': "60x4"},
    ),
    case(
        "RingwardRecognitionBehind", 60,
        {f"{R}recognition_unprocessed_total": "0+1x60"},
        # One bad quarter of an hour is a morning, no lack.
        {f"{R}recognition_unprocessed_total": "0x10 0+1x10 10x40"},
    ),
    counter("RingwardRecognitionFails", 14, f'{R}recognition_failures_total{{kind="face"}}', 2, 0.1),
    counter("RingwardPictureKills", 10, f'{R}recognition_gave_up_total{{kind="face"}}', 1, 0),
    case("RingwardFalseNames", 70, judged(0.1, 40), judged(0.1, 10)),
    gauge("RingwardFacesDrift", 130, f'{R}recognition_score_drift{{compound="c"}}', 0.04, 0.02),
    gauge("RingwardManyUncertain", 130, f'{R}recognition_uncertain_share{{compound="c"}}', 0.4, 0.2),
    # Rules
    gauge("RingwardRulesUnattended", 3, f"{R}alerts_compounds_unattended", 2, 0),
    gauge("RingwardRulesBehind", 4, f"{R}alerts_behind_seconds", 31, 29),
    case(
        "RingwardAlertsLate", 30,
        histogram(f"{R}alerts_happened_to_raised_seconds", 'rule="R-B05"', "5", bad=True),
        # Another rule waits for what may still arrive, by design.
        histogram(f"{R}alerts_happened_to_raised_seconds", 'rule="R-E01"', "5", bad=True),
    ),
    counter("RingwardRuleFails", 10, f'{R}alerts_rule_faults_total{{rule="R-E01"}}', 1, 0),
    counter("RingwardTurnsFail", 10, f'{R}alerts_failed_turns_total{{compound="c"}}', 1, 0.1),
    counter("RingwardTooManyIncidents", 60, f'{R}alerts_incidents_total{{rule="R-E01"}}', 1, 0.2),
    gauge("RingwardRulesFileRefused", 8, f"{R}rules_file_refused", 1, 0),
    # Notifying
    gauge("RingwardReactionsWait", 3, f"{R}alerts_reactions_oldest_seconds", 31, 5),
    gauge("RingwardNotificationsWait", 3, f"{R}notify_oldest_seconds", 31, 29),
    gauge("RingwardNotificationsWait", 3, f"{R}notify_due_oldest_seconds", 31, 29),
    case("RingwardNotificationsFail", 10, sent(0), sent(1)),
    case(
        "RingwardTellingSlow", 40,
        histogram(f"{R}notify_handed_over_seconds", 'kind="sms"', "15", bad=True),
        histogram(f"{R}notify_handed_over_seconds", 'kind="sms"', "15", bad=False),
    ),
    case(
        "RingwardNobodyReached", 5,
        {f'{R}notify_ended_total{{state="unreached"}}': "0+1x5"}, {f'{R}notify_ended_total{{state="answered"}}': "0+1x5"},
    ),
    case(
        "RingwardNobodyOnDuty", 5,
        {f'{R}routing_fell_through_total{{to="nobody"}}': "0+1x5"}, {f'{R}routing_fell_through_total{{to="lead"}}': "0+1x5"},
    ),
    gauge("RingwardRoutesFileRefused", 8, f"{R}routing_file_refused", 1, 0),
    gauge("RingwardChannelDead", 20, f'{R}notify_dead_contacts{{kind="sms"}}', 1, 0),
    counter("RingwardFollowingFails", 5, f'{R}notify_failed_reactions_total{{name="route"}}', 1, 0),
    # Devices
    case("RingwardDevicesAway", 15, devices(11), devices(10)),
    case("RingwardCompoundDark", 6, devices(51), devices(50)),
    gauge("RingwardDeviceClocks", 70, f'{R}devices_clocks_wrong{{compound="c"}}', 1, 0),
    counter("RingwardCommandsUncertain", 14, f"{R}devices_commands_uncertain_total", 1, 0.1),
    counter("RingwardCommandsFail", 14, f'{R}devices_commands_failed_total{{code="busy"}}', 1, 0.1),
    gauge("RingwardListsRefused", 70, f"{R}devices_list_people_failing", 1, 0),
    gauge("RingwardForgettingWaits", 1500, f"{R}devices_list_orders_open", 1, 0),
    # Console
    gauge("RingwardNobodyWatches", 12, f"{R}console_live_watchers", 0, 1),
    counter("RingwardScreensDropped", 14, f"{R}console_live_dropped_total", 1, 0.1),
    case(
        "RingwardConsoleSlow", 30,
        histogram(f"{R}console_request_seconds", 'surface="api",status="2xx"', "2.5", bad=True),
        histogram(f"{R}console_request_seconds", 'surface="api",status="2xx"', "2.5", bad=False),
    ),
    case("RingwardConsoleFails", 20, answers(5), answers(1)),
    # Privacy and audit
    gauge("RingwardErasureLate", 15, f"{R}privacy_oldest_open_erasure_seconds", DAY + 1, DAY - 1),
    case(
        "RingwardRetentionStale", 3000,
        {f"{R}privacy_retention_last_run_timestamp_seconds": "1x3000"},
        # A keeper that stands by has never run it.
        {f"{R}privacy_retention_last_run_timestamp_seconds": "0x3000"},
    ),
    counter("RingwardHousekeepingFails", 60, f'{R}privacy_housekeeping_failures_total{{work="erasures"}}', 1, 0.01),
    gauge("RingwardAuditCut", 1, f"{R}privacy_audit_anchor_holds", 0, 1),
    gauge("RingwardAuditBroken", 1, f"{R}privacy_audit_chain_holds", 0, 1),
    case(
        "RingwardAuditUnverified", 4500,
        {f"{R}privacy_audit_verified_timestamp_seconds": "0x4500"},
        {f"{R}privacy_audit_verified_timestamp_seconds": "0x2000 120000x2500"},
    ),
    gauge("RingwardFilingNears", 1, f"{R}privacy_people_with_faces", 80000, 79999),
    # Copies, disks, clocks
    gauge("RingwardBackupOld", 70, f"{R}storage_backup_age_seconds", 1.6 * DAY, 1.4 * DAY),
    gauge("RingwardBackupMissing", 15, f"{R}storage_backup_age_seconds", 7.1 * DAY, 6 * DAY),
    case("RingwardDiskFills", 40, disk("9000000000x60"), disk("50000000000x60")),
    # A hundred megabytes in an hour is no hurry, 10 GB is.
    case("RingwardDiskFills", 500, disk("99000000000-166000000x500"), disk("99000000000-1660000x500")),
    case("RingwardDiskFull", 3, disk("2000000000x5"), disk("3000000000x5")),
    gauge("RingwardClockWrong", 8, f"{R}storage_clock_offset_seconds", -1.5, 0.5),
    gauge("RingwardClockFree", 35, f"{R}system_clock_synchronised", 0, 1),
    gauge("RingwardCertificateEnds", 70, f'{R}system_certificate_expires_timestamp_seconds{{setting="x"}}', 20 * DAY, 30 * DAY),
    gauge("RingwardCertificateOver", 8, f'{R}system_certificate_expires_timestamp_seconds{{setting="x"}}', DAY, 20 * DAY),
)  # fmt: skip
