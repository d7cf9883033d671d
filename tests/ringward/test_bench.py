"""The benchmarks run for real and print one object; how fast is not a test's business."""

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

KEYS = {"name", "at", "revision", "machine", "settings", "figures", "ceilings", "ratios"}


def bench(*arguments: str) -> dict[str, dict[str, float]]:
    ran = subprocess.run(
        [sys.executable, "-m", "ringward", "bench", *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout)
    assert found.keys() == KEYS
    return found


def test_ingest_stands_beside_the_raw_ceiling_of_the_same_run() -> None:
    found = bench("ingest", "--events", "1000", "--rounds", "1")
    durable = found["figures"]["durable_events_per_s"]
    raw = found["ceilings"]["raw_paho_manual_ack_per_s"]
    assert durable > 0
    assert raw > 0
    assert math.isclose(found["ratios"]["durable_over_raw"], durable / raw, abs_tol=0.01)
    assert found["figures"]["publish_to_commit_p50_ms"] <= found["figures"]["publish_to_commit_p99_ms"]


def test_mad_device_is_measured_beside_the_others() -> None:
    found = bench("flood", "--seconds", "2", "--rounds", "1")
    alone = found["figures"]["alone_publish_to_ack_p99_ms"]
    beside = found["figures"]["beside_mad_device_publish_to_ack_p99_ms"]
    assert 0 < found["figures"]["alone_publish_to_ack_p50_ms"] <= alone
    assert math.isclose(found["ratios"]["p99_beside_over_alone"], beside / alone, abs_tol=0.01)


def test_decisions_are_measured_from_the_cameras_publish() -> None:
    found = bench("decide", "--seconds", "5", "--rate", "1")
    for kind in ("face", "plate"):
        p50 = found["figures"][f"publish_to_{kind}_decision_p50_ms"]
        assert 0 < p50 <= found["figures"][f"publish_to_{kind}_decision_p99_ms"]
        assert found["ceilings"][f"direct_{kind}_p50_ms"] > 0


def test_backlog_of_an_outage_drains_while_a_live_device_speaks() -> None:
    found = bench("backlog", "--devices", "5", "--events", "500", "--hours", "8", "--live-seconds", "4")
    figures = found["figures"]
    assert figures["drained_events_per_s"] > 0
    real_time = found["ceilings"]["real_time_events_per_s"]
    assert math.isclose(real_time, 500 / 28_800, abs_tol=0.001)
    assert found["ratios"]["drained_over_real_time"] > 1
    for when in ("calm", "beside"):
        p50 = figures[f"{when}_publish_to_commit_p50_ms"]
        assert 0 < p50 <= figures[f"{when}_publish_to_commit_p99_ms"]


def test_burst_is_measured_in_the_memory_of_an_ingest_of_its_own() -> None:
    found = bench("burst", "--messages", "4", "--megabytes", "1")
    figures = found["figures"]
    assert figures["rss_before_mb"] > 0
    assert figures["rss_before_mb"] < figures["rss_peak_mb"]
    assert figures["twice_as_much_stored_in_s"] > 0
    assert found["ceilings"]["burst_mb"] == 4


def test_retention_deletes_everything_while_events_come_in() -> None:
    found = bench("retention", "--events", "1000", "--seconds", "2")
    figures, ceilings = found["figures"], found["ceilings"]
    for kind in ("events", "decisions"):
        assert figures[f"{kind}_deleted_per_s"] > 0
        assert ceilings[f"one_delete_of_{kind}_per_s"] > 0
        p50 = figures[f"beside_{kind}_publish_to_commit_p50_ms"]
        assert 0 < p50 <= figures[f"beside_{kind}_publish_to_commit_p99_ms"]
    alone = figures["alone_publish_to_commit_p99_ms"]
    beside = figures["beside_events_publish_to_commit_p99_ms"]
    assert math.isclose(found["ratios"]["p99_beside_events_over_alone"], beside / alone, abs_tol=0.01)


def test_pieces_are_filled_asked_and_emptied_beside_a_plain_table() -> None:
    found = bench("pieces", "--events", "1000", "--weeks", "3")
    figures, ceilings = found["figures"], found["ceilings"]
    assert all(value > 0 for value in [*figures.values(), *ceilings.values()])
    assert math.isclose(
        found["ratios"]["insert_one_piece_over_raw"],
        figures["insert_one_piece_per_s"] / ceilings["raw_insert_per_s"],
        abs_tol=0.01,
    )


def test_recognition_stands_beside_the_plain_recipe_and_two_processes_beside_one() -> None:
    found = bench("recognise", "--pictures", "3", "--backlog", "10")
    figures, ceilings = found["figures"], found["ceilings"]
    assert (figures["faces_placed"], figures["dlib_faces_found"]) == (6, 6)
    assert 0 < figures["dlib_picture_p50_ms"] <= figures["dlib_picture_p95_ms"]
    assert ceilings["recipe_picture_p50_ms"] > 0
    assert found["ratios"]["dlib_over_recipe"] > 0
    for name in ("search_100k_p50_ms", "plates_960px_p50_ms", "worker_resident_mb", "worker_warm_start_s"):
        assert figures[name] > 0
    one, two = figures["one_worker_pictures_per_s"], figures["two_workers_pictures_per_s"]
    assert math.isclose(found["ratios"]["two_workers_over_one"], two / one, abs_tol=0.01)


def test_gallery_is_searched_beside_the_plain_product() -> None:
    found = bench("gallery", "--rounds", "5", "--stored", "200")
    assert all(ratio > 0 for ratio in found["ratios"].values())
    assert {"search_5k_over_plain", "search_100k_over_plain"} <= found["ratios"].keys()


def test_letters_are_counted_where_they_arrive_with_faults_and_without() -> None:
    found = bench(
        "notify", "--seconds", "3", "--incidents", "12", "--responders", "100", "--fault-seconds", "2"
    )
    figures = found["figures"]
    assert figures["letters"] >= 12
    assert figures["letters_doubled"] == figures["letters_missing"] == 0
    assert figures["faulty_letters_doubled_beyond_faults"] == figures["faulty_letters_missing"] == 0
    assert 0 < figures["incident_to_routed_p50_ms"] <= figures["incident_to_handed_over_p99_ms"]


def test_screens_are_counted_beside_the_bare_line_of_the_same_run() -> None:
    found = bench("console", "--seconds", "3", "--consoles", "3", "--phones", "5", "--communities", "0")
    figures, ceilings = found["figures"], found["ceilings"]
    assert figures["screens_missing"] == figures["streams_broken"] == 0
    assert 0 < ceilings["incident_to_line_p50_ms"] <= figures["incident_to_screen_p50_ms"]
    # DESIGN: the first page is 150 kB at most, with everything that it loads.
    assert 0 < figures["first_page_bytes"] <= 150_000
    assert figures["queue_bytes"] > 0


@pytest.mark.alone
def test_face_at_a_gate_is_followed_until_the_door_hears_of_it() -> None:
    found = bench("e2e", "--seconds", "2")
    figures = found["figures"]
    # On a busy machine a picture may be too old to open anything: how many is a figure, no failure.
    assert figures["pictures_without_command"] < 4
    assert 0 < figures["picture_to_command_p50_ms"] <= figures["picture_to_command_p99_ms"]
    parts = ("to_ingest", "ingest_to_decision", "decision_to_asked", "asked_to_door")
    assert all(figures[f"part_{part}_p50_ms"] > 0 for part in parts)
    processes = [key for key in figures if key.endswith("_memory_mb") and key != "system_memory_mb"]
    assert {"core_memory_mb", "recognition_1_memory_mb", "broker_memory_mb"} <= set(processes)
    assert math.isclose(figures["system_memory_mb"], sum(figures[key] for key in processes), abs_tol=0.1)
    assert found["ceilings"]["recipe_picture_p50_ms"] > 0


def test_cost_of_an_event_is_measured_at_each_size() -> None:
    found = bench("scale", "--axes", "compounds", "--seconds", "1")
    figures = found["figures"]
    one, eight = (figures[f"compounds_{size}_cpu_an_event_ms"] for size in (1, 8))
    assert one > 0
    assert math.isclose(found["ratios"]["compounds_cpu_an_event_growth"], eight / one, abs_tol=0.01)
    assert figures["compounds_8_memory_mb"] > 0


def test_compounds_in_which_nothing_happens_are_measured_by_role() -> None:
    found = bench("idle", "--compounds", "3", "--seconds", "2")
    figures = found["figures"]
    assert 0 < figures["one_compound_alerts_percent"] < figures["one_compound_percent"]
    assert figures["all_compounds_percent"] > 0


@pytest.mark.alone
def test_neighbours_of_a_nuisance_are_measured_and_nothing_acknowledged_is_lost() -> None:
    found = bench("fairness", "--seconds", "2", "--mad-rate", "400")
    figures = found["figures"]
    assert figures["acknowledged_lost"] == figures["pictures_undecided"] == 0
    for scene in ("calm", "mad_camera", "mad_compound", "stuck_worker"):
        assert 0 < figures[f"{scene}_answer_p50_ms"] <= figures[f"{scene}_answer_p99_ms"]
        assert figures[f"{scene}_decision_p50_ms"] > 0
    assert figures["nuisances_sent"] >= figures["nuisances_shed"] > 0
    assert figures["nuisances_shed_uncounted"] == 0
    calm, beside = figures["calm_answer_p99_ms"], figures["mad_camera_answer_p99_ms"]
    assert math.isclose(found["ratios"]["mad_camera_answer_p99_over_calm"], beside / calm, abs_tol=0.02)


@pytest.mark.alone
def test_soak_that_is_asked_to_end_tells_what_it_has(tmp_path: Path) -> None:
    trail = tmp_path / "soak.jsonl"
    command = [sys.executable, "-m", "ringward", "bench", "soak", "--hours", "1", "--every", "2"]
    running = subprocess.Popen([*command, "--trail", str(trail), "--json"], stdout=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: trail.exists() and trail.read_text().count("\n") >= 2, "two samples", 180)
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=100)
    finally:
        running.kill()
        running.wait()
    found = json.loads(said)
    assert found["settings"]["ended_early"]
    assert found["figures"]["lost"] == found["figures"]["unanswered"] == 0
    assert found["figures"]["events"] > 0
    samples = [json.loads(line) for line in trail.read_text().splitlines()]
    assert len(samples) >= 2
    assert set(samples[0]["processes"]) == {"broker", "core", "recognition", "console"}
    assert all(one["files"] > 0 and one["threads"] > 0 for one in samples[-1]["processes"].values())


def test_log_and_relay_stand_beside_the_bare_driver_and_client() -> None:
    found = bench("stores", "--events", "200", "--rounds", "1")
    assert all(value > 0 for part in ("figures", "ceilings", "ratios") for value in found[part].values())
    ours, bare = found["figures"]["sqlite_events_per_s"], found["ceilings"]["sqlite_raw_insert_per_s"]
    assert math.isclose(found["ratios"]["sqlite_events_over_raw"], ours / bare, abs_tol=0.01)
    assert {"relayed_over_raw", "postgresql_events_over_raw"} <= found["ratios"].keys()
