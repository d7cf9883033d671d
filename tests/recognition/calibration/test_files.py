import datetime as dt

import msgspec
import numpy as np
import pytest

from recognition.calibration import BadCalibrationError, Calibrations, UncalibratedEngineError, shipped
from recognition.calibration.file import Promise, load, save


class Engine:
    def __init__(self, version, name="dlib"):
        self.name, self.version = name, version


def copy(**changes):
    return msgspec.structs.replace(shipped(), **changes)


def test_a_file_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "calibration" / "dlib.json"
    made = copy(promises=(Promise(1e-3, 500, 3, None, None, None, "too few"),))
    save(path, made)
    assert load(path) == made
    assert [one.name for one in path.parent.iterdir()] == ["dlib.json"]


def test_a_file_of_the_folder_goes_before_the_shipped_one_and_the_newest_first(tmp_path):
    version = shipped().engine_version or "any"
    for name, at, cap in (
        ("a.json", "2026-01-02", 0.2),
        ("b.json", "2026-03-01", 0.25),
        ("c.json", "2025-01-01", 0.1),
    ):
        save(tmp_path / name, copy(engine_version=version, made_at=f"{at}T00:00:00+00:00", identify_cap=cap))
    found = Calibrations(tmp_path).of(Engine(version))
    assert found.file.identify_cap == 0.25
    assert found.id == f"dlib/{version}/everybody/2026-03-01"
    assert Calibrations(tmp_path / "nowhere").of(Engine(version)).file == shipped()


def test_a_file_of_another_version_does_not_count(tmp_path):
    save(tmp_path / "onnx.json", copy(engine="mine", engine_version="1"))
    assert Calibrations(tmp_path).of(Engine("1", "mine")).file.engine == "mine"
    with pytest.raises(UncalibratedEngineError):
        Calibrations(tmp_path).of(Engine("2", "mine"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (msgspec.json.encode(copy(format=99)), "format 99"),
        (msgspec.json.encode(copy(groups=shipped().groups[1:])), "everybody"),
    ],
)
def test_a_file_that_is_no_calibration_is_named(tmp_path, data, reason):
    (tmp_path / "mine.json").write_bytes(data)
    with pytest.raises(BadCalibrationError, match=reason) as refused:
        Calibrations(tmp_path).of(Engine("any"))
    assert "mine.json" in str(refused.value)


def test_what_is_shipped_says_when_and_from_how_many_people_it_was_measured():
    file = shipped()
    assert dt.datetime.fromisoformat(file.made_at).tzinfo is not None
    everybody = file.groups[0]
    assert everybody.people > 2000
    for curve in everybody.curves:
        distances = [point.distance for point in curve.points]
        assert distances == sorted(distances, reverse=True)
        assert all(point.rate_low <= point.rate * 1.01 for point in curve.points)
        assert all(point.rate_high >= point.rate * 0.99 for point in curve.points)
        assert np.all(np.diff([point.spread for point in curve.points]) <= 0)
