import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation.labels import BadLabelsError
from recognition.evaluation.plates import (
    LabelledPlate,
    Seen,
    against,
    by_class,
    by_colour,
    by_source,
    colour_named,
    exact,
    invented,
    look_alikes,
    look_at_plates,
    others_exact,
    read_plate_labels,
    times,
    wilson,
)
from recognition.plates import PlateCharacter, PlateRead
from registry.plates import classify, edit_cost, is_well_formed
from ringward.evalreport.plates import plates_page, plates_report, registers

CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))


def read(text, least=0.99, colour="blue"):
    chances = [least] + [0.99] * (len(text) - 1)
    told = tuple(PlateCharacter(c, chance, None) for c, chance in zip(text, chances, strict=True))
    return PlateRead(text, 0.95, CORNERS, colour, False, classify(text), told)


def seen(tmp_path, plate, *reads, file="a/1.jpg", colour="blue", others=(), ms=20.0):
    return Seen(LabelledPlate(tmp_path, file, plate, colour, others), tuple(reads), ms, ms / 2, cut_out=False)


def write(folder, *rows, head="file,plate,colour,box_xywh_rot,other_plates"):
    (folder / "labels.csv").write_text("\n".join([head, *rows]), encoding="utf-8")


def test_labels_are_read_in_one_spelling(tmp_path):
    (tmp_path / "easypr").mkdir()
    (tmp_path / "easypr" / "1.jpg").write_bytes(b"x")
    write(tmp_path, 'easypr/1.jpg,云MO1234,黄牌,"1,2,3,4,0",湘A·1203|湘AMV062')
    (label,) = read_plate_labels(tmp_path)
    assert (label.plate, label.colour, label.source) == ("云M01234", "yellow", "easypr")
    assert label.others == ("湘A1203", "湘AMV062")


@pytest.mark.parametrize(
    ("rows", "head", "reason"),
    [
        ((), None, "lists no pictures"),
        (("1.jpg,,blue,,",), None, "the plate is empty"),
        (("2.jpg,云M12345,blue,,",), None, "is not there"),
        (("../1.jpg,云M12345,blue,,",), None, "outside the folder"),
        (("1.jpg,云M12345",), "file,plate", "no column colour"),
    ],
)
def test_labels_that_cannot_be_used_say_why(tmp_path, rows, head, reason):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "1.jpg").write_bytes(b"x")
    write(folder, *rows, **({"head": head} if head else {}))
    with pytest.raises(BadLabelsError, match=reason):
        read_plate_labels(folder)


def test_a_folder_without_labels_says_so(tmp_path):
    with pytest.raises(BadLabelsError):
        read_plate_labels(tmp_path)


def test_counts_are_by_source_class_and_colour(tmp_path):
    found = [
        seen(tmp_path, "云M12345", read("京A99999"), read("云M12345"), others=("京A99999",)),
        seen(tmp_path, "云M1234学", read("云M12344", colour="blue"), file="b/2.jpg", colour="yellow"),
        seen(tmp_path, "云MD12345", read("云MD12345", colour="white"), file="b/3.jpg", colour="green"),
    ]
    assert (exact(found).count, exact(found).of) == (2, 3)
    assert {name: rate.count for name, rate in by_source(found).items()} == {"a": 1, "b": 1}
    assert {name: rate.count for name, rate in by_class(found).items()} == {
        "coach": 0,
        "new_energy_small": 1,
        "ordinary": 1,
    }
    assert by_colour(found)["yellow"].count == 0
    assert (colour_named(found).count, colour_named(found).of) == (1, 2)
    assert (others_exact(found).count, others_exact(found).of) == (1, 1)
    assert times(found)["scene_p50_ms"] == 20.0
    assert times(found)["scene_cpu_p50_ms"] == 10.0


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share(counted):
    rate = wilson(*counted)
    assert 0 <= rate.low <= rate.share + 1e-12
    assert rate.share <= rate.high + 1e-12 <= 1 + 1e-9


def test_wilson_is_the_published_interval():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 and 0 of 20.
    assert (round(wilson(81, 263).low, 4), round(wilson(81, 263).high, 4)) == (0.2553, 0.3662)
    assert (round(wilson(0, 20).low, 4), round(wilson(0, 20).high, 4)) == (0.0, 0.1611)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_invented_plates_are_of_the_town_and_none_of_the_true_ones():
    plates = invented(300, random.Random(1), ["云M12345", "湘A00001"], ["云M00000"])
    assert len(plates) == 300
    assert all(is_well_formed(plate) and plate[:2] in {"云M", "湘A"} for plate in plates)
    assert plates == invented(300, random.Random(1), ["云M12345", "湘A00001"], ["云M00000"])


def test_look_alikes_are_one_confusable_character_away_and_not_true_themselves():
    twins = look_alikes(50, random.Random(1), ["云M12B45", "云M12845"])
    assert twins
    assert not twins & {"云M12B45", "云M12845"}
    assert all(min(edit_cost(twin, true) for true in ("云M12B45", "云M12845")) < 1 for twin in twins)


def test_decisions_against_a_register_are_counted(tmp_path):
    found = [
        seen(tmp_path, "云M12345", read("云M12345")),
        seen(tmp_path, "云M12347", read("云M12345")),
        seen(tmp_path, "云K55555", read("云K5555S")),
        seen(tmp_path, "云K66666", read("云K66666", least=0.5)),
        seen(tmp_path, "云K77777"),
    ]
    counted = against(found, frozenset({"云M12345", "云K55555", "云K66666"}))
    assert [counted.right.count, counted.wrong.count, counted.near.count] == [1, 1, 2]
    assert counted.right.of == 5


class Fixed:
    name, version = "fixed", "1"

    def read(self, rgb):
        return [read("云M12345")]


def test_a_picture_that_cannot_be_decoded_counts_as_not_read(tmp_path, plate_scene, jpeg):
    (tmp_path / "1.jpg").write_bytes(jpeg(plate_scene("云M12345")))
    (tmp_path / "2.jpg").write_bytes(b"no picture")
    write(tmp_path, "1.jpg,云M12345,blue,,", "2.jpg,云M12345,blue,,")
    told = []
    found = look_at_plates(Fixed(), read_plate_labels(tmp_path), told.append)
    assert (exact(found).count, exact(found).of, told) == (1, 2, [1, 2])


def test_the_report_is_flat_and_the_page_escapes(tmp_path):
    found = [
        seen(tmp_path, "云M12345", read("云M12345"), file="<b>/1.jpg"),
        seen(tmp_path, "云M99999", read("云M9999B"), file="<b>/2.jpg"),
    ]
    against_registers = registers(found, 50, seed=3)
    result = plates_report(Fixed(), found, against_registers, 3)
    assert result.name == "eval plates"
    assert result.figures["exact_percent"] == 50.0
    assert result.figures["registry_hit_count"] == 1
    assert result.figures["strangers_wrong_count"] == 0
    assert all(isinstance(value, int | float) for value in result.figures.values())
    page = plates_page(result, found, against_registers)
    assert "<b>" not in page.replace("<body>", "")
    assert "云M9999B" in page
