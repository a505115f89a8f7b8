"""Settings that every worker has. All come from the environment, named ONACCOUNT_*."""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime import reachable

SERVICES = ("authorizer", "ledger", "importer", "invoicer")
MOST_DAYS = 1_000_000
MOST_SECONDS = 600_000 * 86_400
"""More than an operator writes for "for ever" (99999 days), and no more than PostgreSQL's and
Python's calendars hold: days end before the year 9999, seconds begin after the year 1. What goes
beyond would fail at each use."""


class KafkaSettings(BaseSettings):
    """How Kafka is reached."""

    model_config = SettingsConfigDict(
        env_prefix="ONACCOUNT_", extra="ignore", frozen=True, allow_inf_nan=False
    )

    kafka: str = Field(
        "127.0.0.1:9092", description="Kafka's bootstrap servers, host:port, comma separated."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka's security protocol."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, where the protocol is SASL_*."
    )
    kafka_user: str | None = Field(None, description="SASL user name.", validate_default=True)
    kafka_password: SecretStr | None = Field(
        None, description="SASL password.", validate_default=True
    )
    kafka_ca_file: str | None = Field(
        None,
        description="PEM file of the authority that signed Kafka's certificate.",
    )

    @field_validator("kafka")
    @classmethod
    def _servers(cls, text: str) -> str:
        return reachable.servers(text)

    @field_validator("kafka_user", "kafka_password")
    @classmethod
    def _login(cls, part: str | SecretStr | None, given: ValidationInfo) -> Any:
        if str(given.data.get("kafka_security")).startswith("SASL") and not part:
            raise reachable.refused("it is not set, and ONACCOUNT_KAFKA_SECURITY asks for a login")
        return part

    @field_validator("kafka_ca_file")
    @classmethod
    def _authority(cls, file: str | None, given: ValidationInfo) -> str | None:
        asked_for = str(given.data.get("kafka_security")).endswith("SSL")
        return reachable.authority(file) if file and asked_for else file

    def client(self) -> dict[str, Any]:
        """The arguments that every aiokafka client takes."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.kafka,
            "security_protocol": self.kafka_security,
            "metadata_max_age_ms": 30_000,
        }
        if self.kafka_security.endswith("SSL"):
            found["ssl_context"] = ssl.create_default_context(cafile=self.kafka_ca_file)
        if self.kafka_security.startswith("SASL"):
            found["sasl_mechanism"] = self.kafka_sasl_mechanism
            found["sasl_plain_username"] = self.kafka_user
            if self.kafka_password is not None:
                found["sasl_plain_password"] = self.kafka_password.get_secret_value()
        return found


class WorkerSettings(KafkaSettings):
    """What every worker needs. A service's own settings derive from it and name the service."""

    service: ClassVar[str] = ""

    postgres: SecretStr = Field(
        description="DSN of this service's login role; read from ONACCOUNT_POSTGRES_<SERVICE>."
    )
    worker: str = Field(
        "",
        description="Name of this worker in logs (default: the service's name) and in Kafka's"
        " group, where it takes out what a killed one of its name left. No other of the service has"
        " it.",
    )
    health_host: str = Field(
        "127.0.0.1",
        description="Address of the health and metrics port; 0.0.0.0 is all, :: IPv6 too.",
    )
    health_port: int = Field(
        0, ge=0, le=65_535, description="Port of /live, /ready and /metrics; 0: any free one."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    batch_records: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Most records decided in one transaction; of the registry an importer notes "
        "four times as many at once.",
    )
    fetch_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024 * 1024,
        le=256 * 1024 * 1024,  # four times this is asked of a broker at once, in 31 bits
        description="Most bytes fetched from one partition at once.",
    )
    session_timeout_ms: int = Field(
        10_000,
        ge=1_000,
        le=2**31 - 1,
        description="After this silence Kafka gives a worker's partitions to another; brokers take"
        " 6000 to 1800000 unless told so (group.min. and group.max.session.timeout.ms).",
    )
    job_days: float = Field(
        30,
        ge=1,
        le=MOST_DAYS,
        description="Days for which a job that is done stays in the service's table of jobs, for"
        " whoever looks into what happened. Nothing else asks for it.",
    )
    drain_s: float = Field(
        8.0, gt=0, le=60, description="How long the batch in hand may take after SIGTERM."
    )

    @field_validator("postgres")
    @classmethod
    def _dsn(cls, secret: SecretStr) -> SecretStr:
        reachable.dsn(secret.get_secret_value())
        return secret

    def __init__(self, **values: Any) -> None:
        name = f"ONACCOUNT_POSTGRES_{self.service.upper()}"
        if "postgres" not in values and name in os.environ:
            values["postgres"] = os.environ[name]
        super().__init__(**values)

    @classmethod
    def read(cls) -> Self:
        """What the environment says; ends the process with one sentence where that won't do.

        The sentence names settings and never shows a value: it may be a password.
        """
        try:
            return cls()
        except ValidationError as error:
            sys.exit(f"{cls.service}: {wrong_in(error, cls)}")


def wrong_in(error: ValidationError, settings: type[KafkaSettings]) -> str:
    """What of the environment won't do, in one sentence that shows no value."""
    service = settings.service if issubclass(settings, WorkerSettings) else ""
    parts = []
    for one in error.errors():
        field = str(one["loc"][0])
        own = f"_{service}" if field == "postgres" else ""
        name = f"ONACCOUNT_{field}{own}".upper()
        if one["type"] == "missing":
            meaning = (settings.model_fields[field].description or field).partition(";")[0]
            parts.append(f"{name} is not set; it is the {meaning.rstrip('.')}")
        else:
            parts.append(f"{name} can't be used ({one['msg']})")
    return f"{', and '.join(parts)}; docs/settings.md lists all settings."
