"""Settings of every process, read from the environment (prefix ``SMARTWATCH_``).

Settings that are secrets (keys, passwords) have default values for development only; ``Settings.load()`` refuses to
start with them in any other environment.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from services.core.platform.broker_settings import BrokerSettings, Network, Port, addresses
from services.core.platform.broker_settings import networks as _networks
from services.core.platform.dhis2_settings import Dhis2Settings
from services.core.platform.sms_settings import SmsSettings
from services.core.platform.watchdog_settings import WatchdogSettings

# These values are in every checkout, so they are no secrets; the marker makes them easy to reject.
_DEVELOPMENT_MARK = "development-only"
_DEVELOPMENT_MASTER_KEY = base64.b64encode(b"development-only-master-key-32by").decode()

# Numbers with 555 are assigned to nobody; outside development the operator's own are needed.
_FICTIONAL_PHONES = {"CN": "+861055550100", "VN": "+842455550100", "TR": "+902125550100"}
# ISO 3166-1 alpha-2, and E.164.
_PHONE_OF_COUNTRY = re.compile(r"[A-Z]{2}=\+[1-9][0-9]{6,14}")


class Environment(StrEnum):
    """The environment of this process; only ``development`` and ``test`` accept the default secrets."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(SmsSettings, WatchdogSettings, Dhis2Settings, BrokerSettings):
    """Every setting of the product in one flat list; ``docs/settings.md`` is generated from the descriptions."""

    model_config = SettingsConfigDict(env_prefix="SMARTWATCH_", frozen=True, extra="ignore")

    environment: Environment = Field(Environment.DEVELOPMENT, description="development, test or production")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    database_url: str = Field(
        "",
        description="postgresql://user:password@host:port/name; of a server with a standby `@a:5432,b:5432/name?"
        "target_session_attrs=read-write`; empty: `smartwatch up` starts its own server",
    )
    migration_database_url: str = Field(
        "",
        description="URL for the owner of the tables, the only role that migrates; empty: `SMARTWATCH_DATABASE_URL`",
    )
    database_direct_url: str = Field(
        "",
        description="URL past a pooler such as PgBouncer in transaction mode, for locks, leases and notifications; "
        "empty: `SMARTWATCH_DATABASE_URL`",
    )
    database_prepared_statements: bool = Field(
        True, description="whether statements are prepared; `false` for a PgBouncer before 1.21 in transaction mode"
    )
    database_pool_size: int = Field(8, ge=1, le=100, description="database connections of each process")

    api_host: str = Field("127.0.0.1", description="address the API listens on")
    api_port: Port = Field(8080, description="port the API listens on")
    api_keep_alive_s: int = Field(
        90, ge=1, le=3600,
        description="seconds the API keeps an idle connection; if the proxy keeps it longer, it answers 502",
    )  # fmt: skip
    public_url: str = Field(
        "http://127.0.0.1:8080", description="URL at which phones reach the API; the watch's QR code contains it"
    )
    consent_recordings: Path | None = Field(
        None,
        description="folder with recordings of the consent texts, such as `messages-1-vi.mp3` (subject, version, "
        "language; mp3, m4a or ogg): parents can hear them; empty: a voice of the phone, where it has one",
    )
    programme_phones: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict,
        description="number of the programme by country, such as `CN=+8676922221234,VN=+842838220000`: printed on "
        "labels and leaflets, shown to whoever finds a watch; empty outside production: fictional ones",
    )
    source_url: str = Field(
        "",
        description="URL of the running version's source, shown at `/version`; the licence requires it of operators "
        "of a modified version",
        pattern="^(https?://[^ ]+)?$",
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks of proxies in front of the API, comma separated; `X-Forwarded-For` is "
        "accepted from these only",
    )
    health_host: str = Field(
        "127.0.0.1", description="address of the health pages: `/healthz`, `/readyz` and `/metrics` of each process"
    )
    metrics_readers: str = Field(
        "",
        description="addresses or networks that may read `/metrics` on a health page, comma separated; this machine "
        "always may",
    )
    bridge_health_port: Port = Field(8081, description="health page of the bridge; 0 turns it off")
    broker_health_port: Port = Field(8082, description="health page of the broker; 0 turns it off")
    worker_health_port: Port = Field(8083, description="health page of the worker; 0 turns it off")
    backup_health_port: Port = Field(8084, description="health page of the backups' process; 0 turns it off")
    api_health_port: Port = Field(8085, description="health page of the API with its metrics; 0 turns it off")

    mqtt_backend_host: str = Field("127.0.0.1", description="host of the broker's backend listener for bridges")
    mqtt_backend_port: Port = Field(1884, description="port of the broker's backend listener")
    mqtt_backend_username: str = Field("sw-backend", description="user name of the bridges at the broker")
    mqtt_backend_password: SecretStr = Field(
        SecretStr("development-only-backend-password"), description="password of the bridges; at least 128 bits"
    )

    watch_host: str = Field("127.0.0.1", description="host name sent to watches with their credentials")
    watch_port: Port = Field(8883, description="port sent to watches with their credentials")
    mosquitto_dir: Path = Field(
        Path("var/default/mosquitto"), description="folder of the broker's files and persistence"
    )
    mosquitto_binary: str = Field("", description="path of mosquitto; empty: searched for")
    mosquitto_bind: str = Field("127.0.0.1", description="address of the watches' TLS listener")
    mosquitto_tls_port: Port = Field(8883, description="port of the watches' TLS listener")
    mosquitto_inner_port: Port = Field(8885, description="loopback port of Mosquitto's TLS listener behind the gate")
    mosquitto_plain_port: Port = Field(
        1883, description="port of the watches' plain listener on loopback; 0 outside development"
    )
    mosquitto_backend_bind: str = Field("127.0.0.1", description="address of the backend listener")
    tls_certificate_file: str = Field("", description="PEM chain of the watches' listener; empty: generated")
    tls_key_file: str = Field("", description="PEM key of the watches' listener")
    tls_ca_file: str = Field("", description="PEM of the authority that watches trust")

    blob_url: str = Field(
        "file:var/default/blobs",
        pattern=r"^(file:.+|s3://[^/]+(/.*)?)$",
        description="storage of the sealed audio assets: `file:<folder>` or `s3://<bucket>/<prefix>`",
    )
    s3_endpoint: str = Field("", description="address of an S3 server other than Amazon's")
    s3_region: str = Field("", description="region of the bucket; empty: from the environment of the host")
    s3_access_key_id: str = Field("", description="key id for the bucket; empty: from the environment of the host")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="secret of the key id")

    master_key: SecretStr = Field(
        SecretStr(_DEVELOPMENT_MASTER_KEY),
        description="base64 of 32 bytes; wraps the data keys; keep it out of backups",
    )
    master_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default={},
        description="key-id:base64 pairs, comma separated, replacing `master_key`; first wraps, all unwrap",
    )
    hash_key: SecretStr = Field(
        SecretStr(""),
        description="base64 of 32 bytes; key of code and token hashes; never change it; required with `master_keys`",
    )
    erasure_ledger: Path = Field(
        Path("var/default/erasures.jsonl"),
        description="file of all erasures (random ids) of all processes; keep it with the keys, outside backups",
    )
    erasure_ledger_url: str = Field(
        "",
        pattern=r"^(s3://[^/]+(/.*)?)?$",
        description="`s3://<bucket>/<prefix>` of the erasures of a system of several machines, instead of the file; "
        "another prefix than that of the audio assets",
    )
    token_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default={"development": SecretStr("development-only-token-key-at-least-32-bytes")},
        description="key-id:secret pairs for access tokens, comma separated; the first signs, all verify",
    )

    keep_voice_days: int = Field(
        90, ge=1, le=3650, description="retention of voice messages, unless a guardian keeps one"
    )
    keep_fixes_days: int = Field(30, ge=1, le=3650, description="retention of positions")
    keep_alerts_days: int = Field(180, ge=1, le=3650, description="retention of alarms with their positions")
    keep_usage_days: int = Field(
        90, ge=1, le=3650, description="retention of usage facts after the end of the programme"
    )
    keep_office_days: int = Field(
        180, ge=31, le=3650,
        description="retention of notices, hand-outs, closed help and recoveries, break-glass reasons, invitations",
    )  # fmt: skip
    keep_events_days: int = Field(
        30, ge=1, le=3650, description="retention of app events (ids and states) and reminders"
    )
    keep_sessions_days: int = Field(
        90, ge=31, le=3650, description="retention of unused sessions and devices, including those of staff"
    )
    keep_unsent_sms_days: int = Field(2, ge=1, le=30, description="retention of sealed SMS that could not be sent")
    keep_undelivered_days: int = Field(
        30, ge=1, le=365, description="retention of undelivered items; the sender is notified at the end"
    )
    keep_backups_days: int = Field(
        30, ge=1, le=365,
        description="retention of backups, which `smartwatch backup` deletes at its end; `smartwatch doctor` checks it",
    )  # fmt: skip
    backup_dir: Path | None = Field(
        None, description="folder of the backups, on another disk than the system's; empty: there are none"
    )
    backup_database_url: str = Field(
        "",
        description="postgresql:// URL of the role that may replicate, for backups; empty: that of `smartwatch up`",
    )
    backup_hour: int = Field(18, ge=0, le=23, description="hour (UTC) at which the daily backup begins")
    backup_mb_per_s: int = Field(
        20, ge=0, le=1000,
        description="megabytes a second at which a backup copies the database, so that messages stay fast; 0: no limit",
    )  # fmt: skip
    postgres_programs: Path | None = Field(
        None,
        description="folder of Postgres' own programs (`pg_basebackup`, ...) in the server's version; empty: those of "
        "the wheel, then those on the path",
    )
    keep_exports_hours: int = Field(24, ge=1, le=720, description="retention of a finished sealed export and its link")

    clock_file: Path | None = Field(
        None, description="file that shifts the clock {offset_s, rate, since}; rejected outside tests"
    )

    @field_validator("token_keys", mode="before")
    @classmethod
    def _read_token_keys(cls, value: object) -> object:
        return _pairs(value, "token_keys", at_least=1)

    @field_validator("master_keys", mode="before")
    @classmethod
    def _read_master_keys(cls, value: object) -> object:
        return _pairs(value, "master_keys", at_least=0)

    @field_validator("programme_phones", mode="before")
    @classmethod
    def _read_programme_phones(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.strip().partition("=") for pair in value.split(",") if pair.strip()]
        if any(not _PHONE_OF_COUNTRY.fullmatch("".join(pair)) for pair in pairs):
            message = "programme_phones is a comma separated list of COUNTRY=+number, such as CN=+8676922221234"
            raise ValueError(message)
        return {country: number for country, _, number in pairs}

    @field_validator("trusted_proxies", "metrics_readers")
    @classmethod
    def _check_networks(cls, value: str, checked: ValidationInfo) -> str:
        try:
            _networks(value)
        except ValueError as error:
            message = f"{checked.field_name} is a comma separated list of addresses or networks such as 10.0.0.0/8"
            raise ValueError(message) from error
        return value

    @field_validator("master_key")
    @classmethod
    def _check_master_key(cls, value: SecretStr) -> SecretStr:
        _check_key(value, "master_key")
        return value

    @field_validator("master_keys")
    @classmethod
    def _check_master_keys(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for key_id, key in value.items():
            if re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) is None:
                message = "the id of a master key is 1 to 32 letters, digits, - or _"
                raise ValueError(message)
            _check_key(key, f"the key {key_id}")
        return value

    @field_validator("hash_key")
    @classmethod
    def _check_hash_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            _check_key(value, "hash_key")
        return value

    @field_validator("token_keys")
    @classmethod
    def _check_token_keys(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        # RFC 7518 section 3.2: an HS256 key has at least the 32 bytes of the hash.
        if any(len(secret.get_secret_value().encode()) < 32 for secret in value.values()):  # noqa: PLR2004
            message = "each of token_keys needs at least 32 bytes"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _need_hash_key(self) -> Self:
        # A hash key derived from the first master key would change with it and invalidate sessions and stored hashes.
        if self.master_keys and not self.hash_key.get_secret_value():
            message = "master_keys needs a hash_key beside it: where there was one master_key, that one"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _refuse_what_is_for_development(self) -> Self:
        if self.environment is not Environment.PRODUCTION:
            if self.clock_file is not None and self.environment is not Environment.TEST:
                message = "clock_file moves the clock and is accepted in environment=test only"
                raise ValueError(message)
            return self
        faults = [f"{name} still has its development value" for name in self.development_secrets()]
        if len(self.mqtt_backend_password.get_secret_value()) < 22:  # noqa: PLR2004 - 128 bits in base64
            faults.append("mqtt_backend_password is shorter than 128 bits")
        if self.clock_file is not None:
            faults.append("clock_file moves the clock and is accepted in environment=test only")
        faults += self.sms_routes.faults_in_production()
        if self.mosquitto_plain_port != 0:
            faults.append("mosquitto_plain_port must be 0: watches speak TLS outside development")
        if not self.database_url:
            faults.append("database_url is empty")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def trusted_networks(self) -> tuple[Network, ...]:
        """The networks of ``trusted_proxies``."""
        return _networks(self.trusted_proxies)

    def backend_addresses(self) -> list[tuple[str, int]]:
        """Host and port of the broker's backend listener: those of each external broker, or the one of Mosquitto."""
        if self.broker_addresses:
            return addresses(self.broker_addresses)
        return [(self.mqtt_backend_host, self.mqtt_backend_port)]

    @property
    def public_host(self) -> str:
        """The host of ``public_url``, as a person types it."""
        return urlsplit(self.public_url).netloc

    def metrics_networks(self) -> tuple[Network, ...]:
        """The networks of ``metrics_readers``."""
        return _networks(self.metrics_readers)

    def phones_of_programme(self) -> dict[str, str]:
        """Return the programme's number by country; fictional ones in development, where none is set."""
        if self.programme_phones or self.environment is Environment.PRODUCTION:
            return self.programme_phones
        return _FICTIONAL_PHONES

    def development_secrets(self) -> list[str]:
        """Return the names of the secrets that still have their development value."""
        names = []
        if not self.master_keys and self.master_key.get_secret_value() == _DEVELOPMENT_MASTER_KEY:
            names.append("master_key")
        if any(key.get_secret_value() == _DEVELOPMENT_MASTER_KEY for key in self.master_keys.values()):
            names.append("master_keys")
        if self.hash_key.get_secret_value() == _DEVELOPMENT_MASTER_KEY:
            names.append("hash_key")
        if _DEVELOPMENT_MARK in self.mqtt_backend_password.get_secret_value():
            names.append("mqtt_backend_password")
        if any(_DEVELOPMENT_MARK in secret.get_secret_value() for secret in self.token_keys.values()):
            names.append("token_keys")
        return names


def _pairs(value: object, name: str, *, at_least: int) -> object:
    """Return the key ids and secrets of a comma separated list; a value that is not text is returned unchanged."""
    if not isinstance(value, str):
        return value
    pairs = [pair.split(":", 1) for pair in value.split(",") if pair.strip()]
    if len(pairs) < at_least or any(len(pair) != 2 or not pair[0].strip() for pair in pairs):  # noqa: PLR2004 - a pair
        message = f"{name} is a comma separated list of key-id:secret"
        raise ValueError(message)
    keys_by_id = {key_id.strip(): secret.strip() for key_id, secret in pairs}
    if len(keys_by_id) != len(pairs):
        message = f"{name} has the same key-id twice"
        raise ValueError(message)
    return keys_by_id


def _check_key(key: SecretStr, name: str) -> None:
    try:
        raw = base64.b64decode(key.get_secret_value(), validate=True)
    except binascii.Error as error:
        message = f"{name} is not base64"
        raise ValueError(message) from error
    if len(raw) != 32:  # noqa: PLR2004 - AES-256
        message = f"{name} must be base64 of 32 bytes"
        raise ValueError(message)
