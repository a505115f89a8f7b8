"""A venue, its guests and their accounts, as registry.state tells of them."""

import uuid
from typing import Any

from schemas.registry import AccountState, CustomerState, EnvironmentState

ENV = 2890


def new_id() -> str:
    return str(uuid.uuid4())


def environment(number: int = ENV, version: int = 1, **changes: Any) -> EnvironmentState:
    settings: dict[str, Any] = {
        "name": "De Club",
        "legal_name": "Stichting De Club",
        "street": "Dorpsstraat 1",
        "postcode": "1234 AB",
        "city": "Utrecht",
        "country": "NL",
        "vat_number": "NL123456782B90",
        "chamber_number": "12345678",
        "iban": "NL91ABNA0417164300",
        "currency": "EUR",
        "time_zone": "Europe/Amsterdam",
        "language": "nl",
        "finance_email": "finance@club.example",
        "finance_copy": "none",
        "reply_to": None,
        "payment_days": 14,
        "limit_release": "issued",
        "number_format": "{year}-{seq:05}",
        "credit_note_format": "{year}-{seq:05}",
        "default_limit": None,
        "default_on_account": True,
        "default_in_overview": True,
        "schedule": None,
        "import_enabled": True,
        "viewer_statements": False,
        "logo": None,
        "colour": None,
    }
    return EnvironmentState(
        environment=number, version=version, active=True, **{**settings, **changes}
    )


def customer(
    customer_id: str, number: int = ENV, version: int = 1, **changes: Any
) -> CustomerState:
    fields: dict[str, Any] = {
        "first_name": "Anna",
        "last_name": "Jansen",
        "email": f"{customer_id[:8]}@guest.example",
        "street": "Kerkweg 2",
        "postcode": "3456 CD",
        "city": "Zeist",
    }
    return CustomerState(
        environment=number,
        customer_id=customer_id,
        version=version,
        erased=False,
        **{**fields, **changes},
    )


def account(name: str, holder: str | None, number: int = ENV, version: int = 1) -> AccountState:
    return AccountState(
        environment=number,
        account=name,
        version=version,
        description=f"Rekening {name}",
        status="active",
        limit=None,
        on_account=True,
        in_overview=True,
        holder=holder,
        viewers=(),
    )
