"""Who sells and who buys, as documents show them, and as they are kept with an invoice.

An invoice keeps both as they were when it was made: it is the same document for ever, whatever
the registry says later.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from schemas.registry import CustomerState, EnvironmentState
from services.invoicer.documents.model import Address, Buyer, Language, Logo, Seller
from services.invoicer.domain import Skip

_PNG, _SVG, _BOM = b"\x89PNG\r\n\x1a\n", b"<", b"\xef\xbb\xbf"


def seller(environment: EnvironmentState) -> Seller:
    """The venue as an environment's settings have it."""
    return Seller(
        environment=environment.environment,
        legal_name=environment.legal_name or "",
        name=environment.name or "",
        address=Address(
            street=environment.street or "",
            postcode=environment.postcode or "",
            city=environment.city or "",
            country=environment.country or "NL",
        ),
        vat_number=environment.vat_number,
        chamber_number=environment.chamber_number,
        iban=environment.iban,
        email=environment.reply_to or environment.finance_email,
        logo=_logo(environment.logo),
        colour=environment.colour,
    )


def _logo(content: str | None) -> Logo | None:
    """The picture, or none where it is not one: a logo never stops an invoice."""
    try:
        picture = base64.b64decode(content or "", validate=True).removeprefix(_BOM)
    except (ValueError, binascii.Error):
        return None
    if picture.startswith(_PNG):
        return Logo(content=picture, media_type="image/png")
    if picture.lstrip().startswith(_SVG):
        return Logo(content=picture, media_type="image/svg+xml")
    return None


def full_name(customer: CustomerState) -> str:
    """First name, infix and last name."""
    names = (customer.first_name, customer.infix, customer.last_name)
    return " ".join(name.strip() for name in names if name and name.strip())


def buyer(customer: CustomerState) -> Buyer:
    """An account's holder."""
    return Buyer(
        name=full_name(customer),
        company=(customer.company or "").strip(),
        address=Address(
            street=customer.street or "",
            postcode=customer.postcode or "",
            city=customer.city or "",
            country=customer.country or "NL",
        ),
        email=customer.email,
        vat_number=customer.vat_number,
        chamber_number=customer.chamber_number,
        peppol_id=customer.peppol_id,
    )


def unfit(customer: CustomerState | None) -> Skip | None:
    """Why nobody can be invoiced: an invoice names its buyer and the full address
    (art. 35a(1)(e) Wet OB 1968)."""
    if customer is None or customer.erased:
        return Skip.NO_HOLDER
    address = (customer.street, customer.postcode, customer.city)
    if not all(part and part.strip() for part in address):
        return Skip.NO_POSTAL_ADDRESS
    return None


def mail_address(customer: CustomerState | None) -> tuple[str | None, str]:
    """The address to mail to; or None, and why there is none."""
    if customer is None or not customer.email:
        return None, "no_address"
    return (None, "fictitious_address") if customer.email_fictitious else (customer.email, "")


def is_whom(customer: CustomerState, holder: str | None, kept: str) -> bool:
    """Whether this is whom an invoice was made out to: `holder` by its id; of an invoice that keeps
    none, `kept` by the name in its buyer's JSON."""
    if holder is not None:
        return customer.customer_id == holder
    now, then = buyer(customer), buyer_from(kept)
    return (now.name, now.company) == (then.name, then.company)


def language(customer: CustomerState | None, environment: EnvironmentState) -> Language:
    """The customer's, else the venue's."""
    return (customer.language if customer else None) or environment.language


def readers(
    customers: Iterable[CustomerState], environment: EnvironmentState
) -> dict[str, Language]:
    """The addresses of those who can be mailed to, each with its language; of two customers with
    one address the first's."""
    found: dict[str, Language] = {}
    for one in customers:
        address, _ = mail_address(one)
        if address is not None:
            found.setdefault(address, language(one, environment))
    return found


# -- as rows keep them -------------------------------------------------------------------------


def seller_json(value: Seller) -> tuple[bytes, str]:
    """A letterhead: its SHA-256 and its text."""
    content: dict[str, Any] = asdict(value)
    if value.logo is not None:
        content["logo"]["content"] = base64.b64encode(value.logo.content).decode()
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).digest(), text


def seller_from(text: str) -> Seller:
    content = json.loads(text)
    logo = content.pop("logo")
    return Seller(
        **{
            **content,
            "address": Address(**content["address"]),
            "logo": None
            if logo is None
            else Logo(content=base64.b64decode(logo["content"]), media_type=logo["media_type"]),
        }
    )


def buyer_json(value: Buyer) -> str:
    return json.dumps(asdict(value), ensure_ascii=False, separators=(",", ":"))


def buyer_from(text: str) -> Buyer:
    content = json.loads(text)
    return Buyer(**{**content, "address": Address(**content["address"])})
