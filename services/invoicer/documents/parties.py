"""Seller and buyer in UBL: their addresses, numbers and electronic addresses."""

import re

from services.invoicer.documents.model import Address, Buyer, Seller
from services.invoicer.documents.text import clean
from services.invoicer.documents.xml import Element, add

KVK, NL_VAT, EMAIL = "0106", "9944", "EM"
_VAT_SCHEMES = {
    "AT": "9914",
    "BE": "9925",
    "DE": "9930",
    "ES": "9920",
    "FR": "9957",
    "GB": "9932",
    "IE": "9935",
    "IT": "9906",
    "LU": "9938",
    "NL": NL_VAT,
    "PL": "9945",
    "PT": "9946",
}  # the code list "Electronic Address Scheme": VAT numbers by country


def is_peppol(buyer: Buyer) -> bool:
    """Whether the buyer gets Peppol BIS Billing 3.0 (contract part 8)."""
    return buyer.is_business


def compact(number: str) -> str:
    """An IBAN, VAT or KVK number without the spaces and dots that people write."""
    return re.sub(r"[\s.]", "", clean(number)).upper()


def vat_id(number: str, country: str) -> str:
    """With its country's prefix, as EN 16931 BR-CO-09 asks."""
    plain = compact(number)
    return plain if re.match(r"[A-Z]{2}", plain) else f"{country}{plain}"


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
    if is_peppol(buyer) and buyer.address.country == "NL":
        fields |= {
            "buyer.street": buyer.address.street,
            "buyer.postcode": buyer.address.postcode,
            "buyer.city": buyer.address.city,
        }
    return tuple(name for name, value in fields.items() if not (value and clean(value)))


def add_seller(root: Element, seller: Seller) -> None:
    """`cac:AccountingSupplierParty`; its electronic address is its KVK, else its VAT number."""
    party = add(add(root, "cac:AccountingSupplierParty"), "cac:Party")
    country = seller.address.country
    if seller.chamber_number:
        add(party, "cbc:EndpointID", compact(seller.chamber_number), schemeID=KVK)
    elif seller.vat_number:
        _vat_endpoint(party, seller.vat_number, country)
    _name(party, seller.shown_name)
    _address(party, seller.address)
    _vat(party, seller.vat_number, country)
    entity = add(party, "cac:PartyLegalEntity")
    add(entity, "cbc:RegistrationName", seller.legal_name)
    if seller.chamber_number:
        add(entity, "cbc:CompanyID", compact(seller.chamber_number), schemeID=KVK)
    if seller.email:
        add(add(party, "cac:Contact"), "cbc:ElectronicMail", seller.email)


def add_buyer(root: Element, buyer: Buyer, *, peppol: bool) -> None:
    """`cac:AccountingCustomerParty`; a guest's electronic address is the e-mail address."""
    party = add(add(root, "cac:AccountingCustomerParty"), "cac:Party")
    country = buyer.address.country
    if peppol:
        _endpoint(party, buyer)
    elif buyer.email:
        add(party, "cbc:EndpointID", buyer.email, schemeID=EMAIL)
    _name(party, buyer.shown_name)
    _address(party, buyer.address)
    _vat(party, buyer.vat_number, country)
    entity = add(party, "cac:PartyLegalEntity")
    add(entity, "cbc:RegistrationName", buyer.shown_name)
    if buyer.chamber_number:
        scheme = {"schemeID": KVK} if country == "NL" else {}
        add(entity, "cbc:CompanyID", compact(buyer.chamber_number), **scheme)
    if (buyer.company and buyer.name) or buyer.email:
        contact = add(party, "cac:Contact")
        add(contact, "cbc:Name", buyer.name if buyer.company else "")
        add(contact, "cbc:ElectronicMail", buyer.email or "")


def _endpoint(party: Element, buyer: Buyer) -> None:
    """Its peppol_id; else KVK; else its VAT number in the scheme of its country."""
    scheme, _, value = (buyer.peppol_id or "").partition(":")
    if scheme and value:
        add(party, "cbc:EndpointID", value, schemeID=clean(scheme))
    elif buyer.chamber_number and (buyer.address.country == "NL" or not buyer.vat_number):
        add(party, "cbc:EndpointID", compact(buyer.chamber_number), schemeID=KVK)
    elif buyer.vat_number:
        _vat_endpoint(party, buyer.vat_number, buyer.address.country)


def _vat_endpoint(party: Element, number: str, country: str) -> None:
    full = vat_id(number, country)
    add(party, "cbc:EndpointID", full, schemeID=_VAT_SCHEMES.get(full[:2], NL_VAT))


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
