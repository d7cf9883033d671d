"""The settings as the page reads and writes them."""

from pathlib import Path

import pytest

from console.settingsbook import Group, Setting, SettingKind, SettingRefusedError, Source
from ringward.settings import Settings
from ringward.settingsbook import Book


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ringward.toml").write_text(
        '# ours\nhttp_port = 8090  # behind the proxy\nlog_level = "debug"\n'
    )
    monkeypatch.setenv("RINGWARD_MQTT_PORT", "1884")
    monkeypatch.setenv("RINGWARD_BACKUP_PASSPHRASE", "correct horse")
    return Book(Settings(data_dir=tmp_path / "data"))


def one(book: Book, name: str) -> Setting:
    return next(setting for setting in book.settings() if setting.name == name)


def text(tmp_path: Path) -> str:
    return (tmp_path / "ringward.toml").read_text()


def test_every_setting_is_there_with_its_title_and_a_group(book: Book) -> None:
    found = book.settings()
    assert [setting.name for setting in found] == list(Settings.model_fields)
    assert all(setting.title and setting.description for setting in found)
    # What has no group of its own is of the process itself: only these.
    assert {setting.name for setting in found if setting.group is Group.PROCESS} == {
        "compound",
        "drain_s",
        "log_level",
        "log_format",
        "traces_endpoint",
        "traces_ratio",
    }


def test_value_comes_with_where_it_comes_from(book: Book) -> None:
    names = ("http_port", "mqtt_port", "data_dir", "flood_rate")
    assert {name: one(book, name).source for name in names} == {
        "http_port": Source.FILE,
        "mqtt_port": Source.ENVIRONMENT,
        "data_dir": Source.GIVEN,
        "flood_rate": Source.DEFAULT,
    }


def test_secrets_say_only_whether_they_are_set(book: Book) -> None:
    secret = one(book, "backup_passphrase")
    assert (secret.kind, secret.is_set, secret.value) == (SettingKind.SECRET, True, "")
    assert one(book, "database_url").kind is SettingKind.SECRET
    assert "correct horse" not in repr(book.settings())


def test_value_is_written_beside_the_comments_and_waits_for_a_start(book: Book, tmp_path: Path) -> None:
    book.write("flood_rate", "30")
    assert text(tmp_path).startswith("# ours\nhttp_port = 8090  # behind the proxy\n")
    assert "flood_rate = 30.0" in text(tmp_path)
    assert (one(book, "flood_rate").value, one(book, "flood_rate").written) == ("20", "30")
    assert Settings().flood_rate == 30
    book.write("http_port", None)
    assert "http_port" not in text(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("flood_rate", "-1", "setting_invalid"),
        ("flood_rate", "many", "setting_invalid"),
        ("log_level", "loud", "setting_invalid"),
        ("mqtt_tls", "true", "setting_invalid"),
        ("retention_passages_days", "29", "setting_invalid"),
        ("mqtt_password", "x", "setting_secret"),
        ("mqtt_port", "1885", "setting_in_environment"),
        ("no_such", "1", "unknown_setting"),
    ],
)
def test_value_that_cannot_be_is_refused_and_the_file_stays(
    book: Book, tmp_path: Path, name: str, value: str, code: str
) -> None:
    before = text(tmp_path)
    with pytest.raises(SettingRefusedError) as refused:
        book.write(name, value)
    assert refused.value.code == code
    assert text(tmp_path) == before


def test_broken_file_is_not_written_over(book: Book, tmp_path: Path) -> None:
    (tmp_path / "ringward.toml").write_text("http_port = \n")
    with pytest.raises(SettingRefusedError) as refused:
        book.write("flood_rate", "30")
    assert refused.value.code == "settings_file_broken"
    assert text(tmp_path) == "http_port = \n"
