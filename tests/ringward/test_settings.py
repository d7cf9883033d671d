from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from privacy.retention import RetentionPolicy
from ringward.cli import app
from ringward.foundation import media_store
from ringward.settings import Settings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a settings file and an environment without settings."""
    import os

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)


def write(text: str) -> None:
    Path("ringward.toml").write_text(text)


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings()
    assert (settings.http_host, settings.mqtt_host) == ("127.0.0.1", "127.0.0.1")
    assert (settings.http_port, settings.mqtt_port, settings.nats_port) == (8080, 1883, 4222)
    assert (settings.nats_url, settings.database_url) == (None, None)


def test_file_is_over_defaults_and_environment_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('http_port = 9000\nmqtt_port = 9001\ncompound = "meilin"\n')
    monkeypatch.setenv("RINGWARD_MQTT_PORT", "9002")
    settings = Settings(compound="honghua")
    assert (settings.http_port, settings.mqtt_port, settings.compound) == (9000, 9002, "honghua")
    assert settings.nats_port == 4222


def test_key_that_nobody_knows_is_refused() -> None:
    write("htpp_port = 9000\n")
    with pytest.raises(ValidationError, match="htpp_port"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PORT", "0"),
        ("HTTP_PORT", "65536"),
        ("MQTT_PORT", "mqtt"),
        ("COMPOUND", "hong.hua"),
        ("COMPOUND", "a/b"),
        ("COMPOUND", ""),
        ("RECOGNITION_WORKERS", "17"),
        ("RECOGNITION_WORKERS", "-1"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_value_out_of_range_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"RINGWARD_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_command_says_which_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_HTTP_PORT", "eighty")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 2
    assert "http_port" in result.output


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_MQTT_PASSWORD", "open sesame")
    monkeypatch.setenv("RINGWARD_NATS_PASSWORD", "close sesame")
    settings = Settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "sesame" not in shown
    assert settings.mqtt_password.get_secret_value() == "open sesame"


@pytest.mark.parametrize("folder", ["RINGWARD_SECRETS_DIR", "CREDENTIALS_DIRECTORY"])
def test_secrets_may_lie_in_files_over_the_settings_file_and_under_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "ringward_database_url").write_text("postgresql+psycopg://db/ringward\n")
    (secrets / "ringward_backup_passphrase").write_text("open sesame\n")
    monkeypatch.setenv(folder, str(secrets))
    write('database_url = "postgresql+psycopg://elsewhere/ringward"\n')
    settings = Settings()
    assert settings.database == "postgresql+psycopg://db/ringward"
    assert settings.backup_passphrase.get_secret_value() == "open sesame"
    monkeypatch.setenv("RINGWARD_DATABASE_URL", "postgresql+psycopg://third/ringward")
    assert Settings().database == "postgresql+psycopg://third/ringward"


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ({"HTTP_CERT_FILE": "console.crt"}, "go together"),
        ({"NATS_URL": "nats://n", "NATS_KEY_FILE": "node.key"}, "go together"),
        ({"NATS_URL": "nats://n", "MQTT_CA_FILE": "ca.crt"}, "mqtt_tls"),
        ({"NATS_CA_FILE": "ca.crt"}, "nats_url|server of your own"),
    ],
)
def test_certificates_that_would_not_be_used_are_refused(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str], word: str
) -> None:
    for name, value in names.items():
        monkeypatch.setenv(f"RINGWARD_{name}", value)
    with pytest.raises(ValidationError, match=word):
        Settings()


@pytest.mark.parametrize(
    ("names", "word"),
    [
        ({"MEDIA_URL": "file:///pictures"}, "s3://"),
        ({"MEDIA_URL": "s3://b", "MEDIA_ENDPOINT": "http://minio.example"}, "https"),
        ({"MEDIA_URL": "s3://b", "MEDIA_KEY_ID": "a"}, "go together"),
        ({"MEDIA_ENDPOINT": "https://minio.example"}, "media_url"),
    ],
)
def test_picture_store_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, str], word: str
) -> None:
    for name, value in names.items():
        monkeypatch.setenv(f"RINGWARD_{name}", value)
    with pytest.raises(ValidationError, match=word):
        Settings()


def test_pictures_go_to_the_bucket_of_the_settings(s3, vault, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3.bucket() as (_, outside):
        monkeypatch.setenv("RINGWARD_MEDIA_URL", f"s3://{outside.name}/here")
        monkeypatch.setenv("RINGWARD_MEDIA_ENDPOINT", s3.endpoint)
        monkeypatch.setenv("RINGWARD_MEDIA_KEY_ID", "test-key-id")
        monkeypatch.setenv("RINGWARD_MEDIA_KEY_SECRET", "open sesame")
        settings = Settings()
        assert "sesame" not in repr(settings)
        media = media_store(settings, vault.ring)
        media_id = media.put(b"a picture").media_id
        assert list(outside.objects()) == [f"here/{media_id[:2]}/{media_id[2:]}"]
        assert media.get(media_id) == b"a picture"


def test_retention_is_by_default_what_the_domain_says() -> None:
    assert Settings().retention == RetentionPolicy()


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("RETENTION_PICTURES_DAYS", "29"),
        ("RETENTION_UNKNOWN_FACES_DAYS", "29"),
        ("RETENTION_PASSAGES_DAYS", "29"),
        ("RETENTION_PASSAGES_DAYS", "366"),
        ("RETENTION_AUDIT_DAYS", "1094"),
    ],
)
def test_retention_that_the_law_does_not_allow_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, days: str
) -> None:
    monkeypatch.setenv(f"RINGWARD_{name}", days)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_pictures_do_not_outlive_the_rows_that_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_RETENTION_PICTURES_DAYS", "90")
    monkeypatch.setenv("RINGWARD_RETENTION_PASSAGES_DAYS", "60")
    with pytest.raises(ValidationError, match="retention_passages_days"):
        Settings()


def test_paths_lie_in_the_data_directory() -> None:
    settings = Settings(data_dir=Path("here"))
    assert settings.database == "sqlite:///here/ringward.db"
    for path in (settings.key_file, settings.bus_secret_file, settings.media_dir, settings.broker_dir):
        assert path.is_relative_to("here")
    assert (
        Settings(database_url="postgresql+psycopg://db/ringward").database
        == "postgresql+psycopg://db/ringward"
    )


def test_address_for_browsers() -> None:
    assert Settings(http_port=9000).base_url == "http://127.0.0.1:9000"
    assert Settings(public_url="https://ringward.example").base_url == "https://ringward.example"


def test_every_setting_explains_itself() -> None:
    for name, field in Settings.model_fields.items():
        assert field.title, name
        assert field.description, name
