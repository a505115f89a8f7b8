"""The invoicer's settings: ONACCOUNT_* in the environment."""

from typing import ClassVar, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from runtime import reachable
from runtime.settings import MOST_SECONDS, WorkerSettings


class Settings(WorkerSettings):
    """What the invoicer needs beside every worker's settings."""

    service: ClassVar[str] = "invoicer"

    smtp: str = Field("127.0.0.1:25", description="Mail server for invoices, host:port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "none",
        description="none, starttls (refused where the server has none) or tls from the start.",
    )
    smtp_ca_file: str | None = Field(
        None, description="PEM file of the authority that signed the mail server's certificate."
    )
    smtp_user: str | None = Field(None, description="Login at the mail server.")
    smtp_password: SecretStr | None = Field(
        None, description="Password at the mail server.", validate_default=True
    )
    smtp_hello: str = Field("", description="Name in EHLO; default: this host's name.")
    smtp_timeout_s: float = Field(
        30, gt=0, le=300, description="Longest silence of the mail server within one command."
    )
    smtp_data_timeout_s: float = Field(
        600,
        gt=0,
        le=3_600,
        description="Longest wait for the answer to a whole mail: one that is not waited for may "
        "be sent twice (RFC 5321 says 10 minutes).",
    )
    smtp_away_s: float = Field(
        15,
        gt=0,
        le=MOST_SECONDS,
        description="Longest pause between two tries while the mail server is away.",
    )
    smtp_connections: int = Field(
        4, ge=1, le=64, description="Most connections of one worker to the mail server."
    )
    smtp_retry_s: float = Field(
        60,
        gt=0,
        le=MOST_SECONDS,
        description="First delay after a temporary refusal (4xx); it doubles, up to 4 hours.",
    )
    smtp_give_up_s: float = Field(
        172_800,
        gt=0,
        le=MOST_SECONDS,
        description="A mail that is refused (4xx) for this long is undeliverable.",
    )
    mail_from: str = Field(
        "invoices@onaccount.invalid",
        pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$",
        description="Address that mails come from; it is shown under the venue's name.",
    )
    document_processes: int = Field(
        1, ge=0, le=32, description="Processes that make documents; 0: threads of the worker."
    )

    @field_validator("smtp")
    @classmethod
    def _server(cls, text: str) -> str:
        return reachable.server(text)

    @field_validator("smtp_ca_file")
    @classmethod
    def _mail_authority(cls, file: str | None, given: ValidationInfo) -> str | None:
        asked_for = given.data.get("smtp_security") != "none"
        return reachable.authority(file) if file and asked_for else file

    @field_validator("smtp_password")
    @classmethod
    def _not_in_the_clear(
        cls, password: SecretStr | None, given: ValidationInfo
    ) -> SecretStr | None:
        if bool(password) != bool(given.data.get("smtp_user")):
            raise reachable.refused(
                "ONACCOUNT_SMTP_USER and ONACCOUNT_SMTP_PASSWORD go together: set both or none"
            )
        server = reachable.split(str(given.data.get("smtp", "")))[0]
        here = server in ("localhost", "127.0.0.1", "::1")
        if password and given.data.get("smtp_security") == "none" and not here:
            raise PydanticCustomError(
                "in_the_clear",
                "it would go to another machine in the clear: set ONACCOUNT_SMTP_SECURITY to "
                "starttls or tls",
            )
        return password

    @property
    def smtp_host(self) -> str:
        return reachable.split(self.smtp)[0]

    @property
    def smtp_port(self) -> int:
        return int(reachable.split(self.smtp)[1] or 25)
