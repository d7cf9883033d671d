import re

import pytest

import ringward.schema

# What the law calls sensitive, and what a camera may think it knows of a person (L-13).
SENSITIVE = frozenset(
    {"age", "gender", "sex", "sexual", "ethnicity", "ethnic", "race", "nation", "nationality"}
    | {"religion", "religious", "belief", "politics", "political", "party"}
    | {"health", "medical", "disease", "disability", "emotion", "mood"}
    | {"beard", "hair", "skin", "glasses", "mask", "fingerprint", "iris", "gait"}
    | {"marital", "income", "credit", "criminal"}
)


def words(name: str) -> set[str]:
    return set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def test_no_column_holds_a_sensitive_attribute() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in ringward.schema.metadata.tables.values()
        for column in table.c
    }
    assert len(columns) > 100
    assert {name for name in columns if words(name.partition(".")[2]) & SENSITIVE} == set()


def test_no_table_is_about_one() -> None:
    assert {name for name in ringward.schema.metadata.tables if words(name) & SENSITIVE} == set()


@pytest.mark.parametrize("name", ["age", "gender", "skin_color", "skinColor", "health_state"])
def test_search_would_find_one(name: str) -> None:
    assert words(name) & SENSITIVE
