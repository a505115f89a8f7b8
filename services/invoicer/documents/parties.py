"""Seller and buyer in UBL: their addresses, numbers and electronic addresses."""

import re

from services.invoicer.documents.model import Address, Buyer, Seller
from services.invoicer.documents.text import clean
from services.invoicer.documents.xml import Element, add

KVK, NL_VAT, EMAIL = "0106", "9944", "EM"
_KVK_DIGITS = 8  # four more, of old, named a branch
_VAT_SCHEMES = {
    "AD": "9922", "AL": "9923", "AT": "9914", "BA": "9924", "BE": "9925", "BG": "9926",
    "CH": "9927", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931", "EL": "9933",
    "ES": "9920", "FR": "9957", "GB": "9932", "HR": "9934", "HU": "9910", "IE": "9935",
    "IT": "0211", "LI": "9936", "LT": "9937", "LU": "9938", "LV": "9939", "MC": "9940",
    "ME": "9941", "MK": "9942", "MT": "9943", "NL": NL_VAT, "PL": "9945", "PT": "9946",
    "RO": "9947", "RS": "9948", "SI": "9949", "SK": "9950", "SM": "9951", "TR": "9952",
    "VA": "9953",
}  # fmt: skip
"""The code list "Electronic Address Scheme" (EAS): VAT numbers by the prefix that they have."""
_SCHEMES = {
    *_VAT_SCHEMES.values(),
    "0002", "0007", "0009", "0060", "0088", "0096", "0097", "0106", "0130", "0135", "0142", "0151",
    "0183", "0184", "0188", "0190", "0191", "0192", "0195", "0196", "0198", "0199", "0200", "0201",
    "0204", "0208", "0209", "0210", "0216", "0218", "0221", "0225", "0230", "0235", "0240", "0242",
    "0244", "0245", "0246", "0248", "9913", "9915", "9918", "9919", "9959",
}  # fmt: skip
"""All that Peppol takes of that list (PEPPOL-EN16931-CL008, release 2026.5)."""

Endpoint = tuple[str, str]
"""An electronic address: its scheme and its value."""


def peppol_endpoint(buyer: Buyer) -> Endpoint | None:
    """A business's address in Peppol: its peppol_id; else KVK; else its VAT number in the scheme of
    its country. None: a guest, or one that none of Peppol's schemes knows (decision 134)."""
    scheme, _, value = (buyer.peppol_id or "").partition(":")
    if scheme in _SCHEMES and value:
        return scheme, value
    if buyer.chamber_number and buyer.address.country == "NL":
        return KVK, kvk(buyer.chamber_number)
    return _vat_endpoint(buyer.vat_number, buyer.address.country)


def _vat_endpoint(number: str | None, country: str) -> Endpoint | None:
    full = vat_id(number, country) if number else ""
    scheme = _VAT_SCHEMES.get(full[:2])
    return None if scheme is None else (scheme, full)


def _seller_endpoint(seller: Seller) -> Endpoint | None:
    """The venue's address in Peppol: a Dutch one's KVK, else its VAT number."""
    country = seller.address.country
    if seller.chamber_number and country == "NL":
        return KVK, kvk(seller.chamber_number)
    return _vat_endpoint(seller.vat_number, country)


def is_peppol(seller: Seller, buyer: Buyer) -> bool:
    """Whether the buyer gets Peppol BIS Billing 3.0 (docs/invoicing.md), which wants an address of
    either (PEPPOL-EN16931-R010, R020)."""
    return bool(peppol_endpoint(buyer) and _seller_endpoint(seller))


def compact(number: str) -> str:
    """An IBAN, VAT or KVK number without the spaces and dots that people write."""
    return re.sub(r"[\s.]", "", clean(number)).upper()


def kvk(number: str) -> str:
    """A number of the Dutch chamber of commerce: of twelve digits the eight that say whose."""
    return compact(number)[:_KVK_DIGITS]


def vat_id(number: str, country: str) -> str:
    """With its country's prefix, as EN 16931 BR-CO-09 asks; Greece's is EL. None has a dash."""
    plain = compact(number).replace("-", "")
    full = plain if re.match(r"[A-Z]{2}", plain) else f"{country}{plain}"
    return f"EL{full[2:]}" if full.startswith("GR") else full


def lacking(seller: Seller, buyer: Buyer) -> tuple[str, ...]:
    """What the Dutch rules ask of an invoice and the settings lack: contract field names.

    Of the seller: `legal_name`, `street`, `postcode`, `city`, `vat_number`, `chamber_number`,
    `iban` (art. 35a Wet OB; NL-R-002, 003, 007). Of a buyer in the Netherlands that is a
    business: `buyer.street`, `buyer.postcode`, `buyer.city` (NL-R-004).
    """
    fields = {
        "legal_name": seller.legal_name,
        "street": seller.address.street,
        "postcode": seller.address.postcode,
        "city": seller.address.city,
        "vat_number": seller.vat_number,
        "chamber_number": seller.chamber_number,
        "iban": seller.iban,
    }
    if peppol_endpoint(buyer) and buyer.address.country == "NL":
        fields |= {
            "buyer.street": buyer.address.street,
            "buyer.postcode": buyer.address.postcode,
            "buyer.city": buyer.address.city,
        }
    return tuple(name for name, value in fields.items() if not (value and clean(value)))


def add_seller(root: Element, seller: Seller) -> None:
    """`cac:AccountingSupplierParty`; its electronic address is its KVK, else its VAT number, else
    where questions go."""
    party = add(add(root, "cac:AccountingSupplierParty"), "cac:Party")
    country = seller.address.country
    mail = (EMAIL, seller.email) if seller.email else None
    _endpoint(party, _seller_endpoint(seller) or mail)
    _name(party, seller.shown_name)
    _address(party, seller.address)
    _vat(party, seller.vat_number, country)
    entity = add(party, "cac:PartyLegalEntity")
    add(entity, "cbc:RegistrationName", seller.legal_name)
    _chamber(entity, seller.chamber_number, country)
    if seller.email:
        add(add(party, "cac:Contact"), "cbc:ElectronicMail", seller.email)


def add_buyer(root: Element, buyer: Buyer, *, peppol: bool) -> None:
    """`cac:AccountingCustomerParty`; a guest's electronic address is the e-mail address."""
    party = add(add(root, "cac:AccountingCustomerParty"), "cac:Party")
    country = buyer.address.country
    if peppol:
        _endpoint(party, peppol_endpoint(buyer))
    elif buyer.email:
        add(party, "cbc:EndpointID", buyer.email, schemeID=EMAIL)
    _name(party, buyer.shown_name)
    _address(party, buyer.address)
    _vat(party, buyer.vat_number, country)
    entity = add(party, "cac:PartyLegalEntity")
    add(entity, "cbc:RegistrationName", buyer.shown_name)
    _chamber(entity, buyer.chamber_number, country)
    if (buyer.company and buyer.name) or buyer.email:
        contact = add(party, "cac:Contact")
        add(contact, "cbc:Name", buyer.name if buyer.company else "")
        add(contact, "cbc:ElectronicMail", buyer.email or "")


def _endpoint(party: Element, endpoint: Endpoint | None) -> None:
    if endpoint is not None:
        scheme, value = endpoint
        add(party, "cbc:EndpointID", value, schemeID=scheme)


def _chamber(entity: Element, number: str | None, country: str) -> None:
    if number and country == "NL":
        add(entity, "cbc:CompanyID", kvk(number), schemeID=KVK)
    elif number:
        add(entity, "cbc:CompanyID", compact(number))


def _name(party: Element, name: str) -> None:
    if clean(name):
        add(add(party, "cac:PartyName"), "cbc:Name", name)


def _address(party: Element, address: Address) -> None:
    element = add(party, "cac:PostalAddress")
    add(element, "cbc:StreetName", address.street)
    add(element, "cbc:CityName", address.city)
    add(element, "cbc:PostalZone", address.postcode)
    add(add(element, "cac:Country"), "cbc:IdentificationCode", address.country or "NL")


def _vat(party: Element, number: str | None, country: str) -> None:
    if number:
        scheme = add(party, "cac:PartyTaxScheme")
        add(scheme, "cbc:CompanyID", vat_id(number, country))
        add(add(scheme, "cac:TaxScheme"), "cbc:ID", "VAT")
