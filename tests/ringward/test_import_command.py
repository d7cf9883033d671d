"""`ringward import` and `ringward export`: words, files and exit codes."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from registry.models import Compound
from ringward.cli import app
from ringward.cli.common import opened
from ringward.settings import Settings

DWELLINGS = "房屋地址,房屋状态\n3号楼2单元1801室,自住\n"
PEOPLE = "姓名,手机号,地址,居住类型,是否户主\n张三,10012345678,3-2-1801,业主,是\n李四,123,3-2-1801,家属,否\n"


@pytest.fixture
def at(settings: Settings, tmp_path: Path) -> Path:
    """A folder with two sheets, and a deployment that has the compound."""
    with opened(settings) as ground, ground.database.write() as session:
        session.add(Compound(id="honghua", name="红花"))
    (tmp_path / "dwellings.csv").write_text(DWELLINGS)
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path


def ringward(at: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--data-dir", str(at / "data")])


def test_a_sheet_goes_in_partly_and_is_taken_back(at: Path) -> None:
    done = ringward(at, "import", str(at / "dwellings.csv"), "--kind", "dwellings", "--lang", "en")
    assert (done.exit_code, "dwellings: created 1" in done.output) == (0, True), done.output
    refused = ringward(at, "import", "--kind", "people", str(at / "people.csv"), "--lang", "zh-CN")
    assert refused.exit_code == 1
    assert "联系电话  既不是手机号，也不是固定电话号码。" in refused.output
    assert "people" not in refused.output
    partly = ringward(at, "import", str(at / "people.csv"), "--kind", "people", "--partly", "--json")
    told = json.loads(partly.stdout)
    assert (partly.exit_code, told["state"], told["refused"], told["faults"][0]["row"]) == (
        3,
        "applied",
        1,
        3,
    )
    listed = ringward(at, "import", "list")
    assert listed.output.split()[0] == told["id"]
    undone = ringward(at, "import", "undo", told["id"], "--lang", "en")
    assert (undone.exit_code, "people 1" in undone.output) == (0, True), undone.output
    again = ringward(at, "import", "undo", told["id"], "--lang", "en")
    assert (again.exit_code, "was taken back already" in again.output) == (1, True)


def test_a_dry_run_with_faults_ends_with_one(at: Path) -> None:
    ringward(at, "import", str(at / "dwellings.csv"), "--kind", "dwellings")
    dry = ringward(
        at, "import", str(at / "people.csv"), "--kind", "people", "--dry-run", "--partly", "--json"
    )
    assert (dry.exit_code, json.loads(dry.stdout)["state"]) == (1, "checked")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "nowhere.csv", "--kind", "people"), "No such file"),
        (("import", "people.csv", "--kind", "people", "--compound", "none"), "no compound none"),
        (("import", "undo", "none"), "no import none"),
        (("import", "photos", "nowhere.zip"), "No such file"),
        (("export", "registry", "out.docx"), "must end in"),
        (("export", "registry", "out.xlsx", "--id-numbers"), "need a --reason"),
        (("export", "registry", "out.xlsx", "--compound", "none"), "no compound none"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    at: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(at)
    answer = ringward(at, *words)
    assert (answer.exit_code, said in answer.output) == (1, True), answer.output
    assert not (at / "out.xlsx").exists()


def test_an_export_is_for_its_owner_alone_and_overwrites_nothing(at: Path) -> None:
    ringward(at, "import", str(at / "dwellings.csv"), "--kind", "dwellings")
    out = at / "out.xlsx"
    done = ringward(at, "export", "registry", str(out))
    assert (done.exit_code, "dwellings=1" in done.output) == (0, True), done.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = ringward(at, "export", "registry", str(out))
    assert (again.exit_code, "File exists" in again.output) == (1, True)
    back = ringward(at, "import", str(out), "--kind", "dwellings", "--json")
    assert json.loads(back.stdout)["counts"]["dwellings"] == {"created": 0, "updated": 0, "unchanged": 1}
