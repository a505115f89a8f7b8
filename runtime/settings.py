"""Settings that every worker has. All come from the environment, named ONACCOUNT_*."""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("authorizer", "ledger", "importer", "invoicer")


class KafkaSettings(BaseSettings):
    """How Kafka is reached."""

    model_config = SettingsConfigDict(env_prefix="ONACCOUNT_", extra="ignore", frozen=True)

    kafka: str = Field(
        "127.0.0.1:9092", description="Kafka's bootstrap servers, host:port, comma separated."
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Kafka's security protocol."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism, where the protocol is SASL_*."
    )
    kafka_user: str | None = Field(None, description="SASL user name.")
    kafka_password: SecretStr | None = Field(None, description="SASL password.")
    kafka_ca_file: str | None = Field(
        None,
        description="PEM file of the authority that signed Kafka's certificate.",
    )

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
    worker: str = Field("", description="Name of this worker in logs; default: the service's name.")
    health_host: str = Field("127.0.0.1", description="Address of the health and metrics port.")
    health_port: int = Field(
        0, ge=0, le=65_535, description="Port of /live, /ready and /metrics; 0: any free one."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    batch_records: int = Field(
        500, ge=1, le=10_000, description="Most records decided in one transaction."
    )
    fetch_bytes: int = Field(
        8 * 1024 * 1024,
        ge=1024 * 1024,
        description="Most bytes fetched from one partition at once.",
    )
    session_timeout_ms: int = Field(
        10_000,
        ge=1_000,
        description="After this silence Kafka gives a worker's partitions to another.",
    )
    job_days: float = Field(
        30,
        ge=1,
        description="Days for which a job that is done stays in the service's table of jobs, for"
        " whoever looks into what happened. Nothing else asks for it.",
    )
    drain_s: float = Field(
        8.0, gt=0, le=60, description="How long the batch in hand may take after SIGTERM."
    )

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
            wrong = [(str(one["loc"][0]), one["type"], one["msg"]) for one in error.errors()]
        parts = [
            f"{cls._variable(field)} is not set; it is the {cls._meaning(field)}"
            if kind == "missing"
            else f"{cls._variable(field)} can't be used ({message})"
            for field, kind, message in wrong
        ]
        sys.exit(f"{cls.service}: {', and '.join(parts)}; docs/settings.md lists all settings.")

    @classmethod
    def _variable(cls, field: str) -> str:
        own = f"_{cls.service}" if field == "postgres" else ""
        return f"ONACCOUNT_{field}{own}".upper()

    @classmethod
    def _meaning(cls, field: str) -> str:
        return (cls.model_fields[field].description or field).partition(";")[0].rstrip(".")
