"""What operators wrote about somebody whose name can no longer be read."""

import pytest

from privacy.erasure.hearsay import recognised
from registry import lookups
from storage import KeyRing

HERE, THERE = "honghua", "meilin"
ID_NUMBER = "11010519491231002X"


@pytest.fixture
def keys(ring: KeyRing) -> list[str]:
    return [
        lookups.name_key(HERE, "欧阳测试"),
        lookups.phone_key(HERE, "10012345678"),
        lookups.id_key(HERE, ID_NUMBER),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("与欧阳测试核实", {"欧阳测试"}),
        ("欧阳 测试不在家", {"欧阳 测试"}),
        ("电话 10012345678,再打", {"10012345678"}),
        ("电话100-1234-5678", {"100-1234-5678"}),
        (f"证件{ID_NUMBER}已看", {ID_NUMBER}),
        (f"欧阳测试,{ID_NUMBER.lower()}", {"欧阳测试", ID_NUMBER.lower()}),
        ("与欧阳核实", set()),
        ("电话 10012345679", set()),
        ("", set()),
    ],
)
def test_name_and_numbers_are_recognised_by_their_hashes(keys, text: str, found: set[str]) -> None:
    assert recognised(text, HERE, keys) == found


def test_names_of_minorities_are_recognised_with_any_dot(ring: KeyRing) -> None:
    keys = [lookups.name_key(HERE, "买买提·吐尔逊")]
    assert recognised("找买买提•吐尔逊谈过", HERE, keys) == {"买买提•吐尔逊"}


def test_namesake_in_another_compound_is_left_alone(keys) -> None:
    assert recognised("与欧阳测试核实", THERE, keys) == set()
    assert recognised("与欧阳测试核实", HERE, []) == set()
