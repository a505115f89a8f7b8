"""Statements in CAMT.053 (ISO 20022, BankToCustomerStatement), of any version: 02 and 08 are met.

Only what is booked counts. A batch is read payment by payment where its details say what each came
to, and as one line where they don't. XML comes from outside: no type definition, no entity, a bound
on its depth; an entry is let go once it is read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from cli.amounts import Misuse
from cli.bank.lines import Line, compact, minor_units

_SPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(camt\.[0-9]{3})\.[0-9.]+\}Document")
_STATEMENT = "camt.053"
_DEEPEST = 60  # elements within elements; a statement has some fifteen
_MOST = 10**12
_AMOUNT = re.compile(r"(?=[0-9.]{1,25}$)([0-9]+\.?[0-9]*|\.[0-9]+)")
_BOOKED = ("BOOK", "")  # not PDNG, INFO or FUTR
_NO_REFERENCE = ("NOTPROVIDED", "NONREF")


def is_xml(content: bytes) -> bool:
    """Whether a file says to be XML."""
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def lines(content: bytes, where: str, first: int = 1) -> list[Line]:
    """The lines of a statement, numbered from `first`; raises Misuse where it is none."""
    reader = _Reader(where=where, row=first)
    try:
        return list(reader.read(content))
    except DefusedXmlException:
        raise Misuse(
            f"{where} defines types or entities of its own (a DOCTYPE). No bank's export does, and "
            "it could be made to harm this machine: it is not read."
        ) from None
    except (ParseError, LookupError, ValueError) as fault:  # an encoding that is none, too
        raise Misuse(f"{where} is no XML that can be read ({fault}).") from None


@dataclass(slots=True, kw_only=True)
class _Reader:
    where: str
    row: int
    account: str = ""
    path: list[Element] = field(default_factory=list)

    def read(self, content: bytes) -> Iterator[Line]:
        """Walk the elements as they come, and give an entry's lines when it ends."""
        for event, element in iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        ):
            if event == "start":
                self._begin(element)
                continue
            self.path.pop()
            match _name(element):
                case "Acct" if self._within("Stmt"):
                    self.account = compact(_text(element, "Id/IBAN", "Id/Othr/Id"))
                case "Ntry" if self._within("Stmt"):
                    yield from self._entry(element)
                    self.path[-1].remove(element)
                case "Stmt":
                    element.clear()

    def _within(self, name: str) -> bool:
        return bool(self.path) and _name(self.path[-1]) == name

    def _begin(self, element: Element) -> None:
        if not self.path:
            self._document(element.tag)
        if len(self.path) >= _DEEPEST:
            raise Misuse(f"{self.where} is XML of elements within elements without end: no export.")
        if _name(element) == "Stmt":
            self.account = ""
        self.path.append(element)

    def _document(self, tag: str) -> None:
        kind = _SPACE.fullmatch(tag)
        if kind is None:
            raise Misuse(
                f"{self.where} is XML, but no bank statement; export CAMT.053, MT940 or CSV."
            )
        if kind[1] != _STATEMENT:
            raise Misuse(
                f"{self.where} is a {kind[1].upper()}: it holds what is under way, or what a "
                "statement has too. Export the account's statements, CAMT.053."
            )

    def _entry(self, entry: Element) -> Iterator[Line]:
        if _text(entry, "Sts/Cd", "Sts").upper() not in _BOOKED:
            return
        amount, currency = self._amount(entry.find("{*}Amt"))
        total = amount * self._sign(entry)
        details = entry.findall("{*}NtryDtls/{*}TxDtls")
        parts = self._parts(details, entry, currency) if len(details) > 1 else []
        if sum(parts) != total or not parts:
            yield self._line(entry, details, total, currency)
            return
        for one, part in zip(details, parts, strict=True):
            yield self._line(entry, [one], part, currency)

    def _parts(self, details: Sequence[Element], entry: Element, currency: str) -> list[int]:
        """What each payment of a batch came to; nothing where one does not say."""
        found = []
        for one in details:
            said = one.find("{*}Amt")
            if said is None:
                said = one.find("{*}AmtDtls/{*}TxAmt/{*}Amt")
            if said is None or said.get("Ccy", currency) != currency:
                return []
            own = one if one.find("{*}CdtDbtInd") is not None else entry
            found.append(self._amount(said)[0] * self._sign(own))
        return found

    def _line(self, entry: Element, details: Sequence[Element], amount: int, currency: str) -> Line:
        row, self.row = self.row, self.row + 1
        side = "Dbtr" if amount > 0 else "Cdtr"
        told = [t for one in details if (t := _texts(one, "RmtInf/Ustrd"))]
        told = told or [t for one in details if (t := _texts(one, "AddtlTxInf"))]
        refs = [_text(entry, "AcctSvcrRef"), *(_own_reference(one) for one in details)]
        return Line(
            row=row,
            on=self._day(entry),
            amount=amount,
            currency=currency,
            name=_first(details, f"RltdPties/{side}/Nm", f"RltdPties/{side}/Pty/Nm"),
            iban=compact(
                _first(details, f"RltdPties/{side}Acct/Id/IBAN", f"RltdPties/{side}Acct/Id/Othr/Id")
            ),
            description=" ".join(told) or _text(entry, "AddtlNtryInf"),
            reference=" ".join(r for one in details for r in _references(one)),
            account=self.account,
            sequence=" ".join(dict.fromkeys(r for r in refs if r)),
            reversal=_text(entry, "RvslInd").lower() in ("true", "1"),
        )

    def _amount(self, element: Element | None) -> tuple[int, str]:
        text = "" if element is None else (element.text or "").strip()
        currency = "" if element is None else element.get("Ccy", "").strip().upper()
        if not re.fullmatch("[A-Z]{3}", currency):
            self._fault(f"{currency!r} is not a currency")
        found = minor_units(text, currency) if _AMOUNT.fullmatch(text) else None
        if found is None or found >= _MOST:
            self._fault(f"{text!r} is not an amount")
        return found, currency

    def _sign(self, element: Element) -> int:
        said = _text(element, "CdtDbtInd")
        if said not in ("CRDT", "DBIT"):
            self._fault(f"{said!r} does not say whether money came in or went out")
        return 1 if said == "CRDT" else -1

    def _day(self, entry: Element) -> date:
        said = _text(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
        try:
            return date.fromisoformat(said[:10])
        except ValueError:
            self._fault(f"{said!r} is not a date")

    def _fault(self, what: str) -> NoReturn:
        raise Misuse(f"{self.where}, entry {self.row}: {what}.")


# -- elements ----------------------------------------------------------------------------------


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _path(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _text(element: Element, *paths: str) -> str:
    """The text at the first of these paths that has one."""
    for path in paths:
        if said := " ".join((element.findtext(_path(path)) or "").split()):
            return said
    return ""


def _texts(element: Element, path: str) -> str:
    every = (" ".join((each.text or "").split()) for each in element.findall(_path(path)))
    return " ".join(each for each in every if each)


def _first(details: Sequence[Element], *paths: str) -> str:
    return next((said for one in details if (said := _text(one, *paths))), "")


def _references(one: Element) -> list[str]:
    """What the payer's program says that is paid: a payment reference, an invoice's number."""
    found = [_texts(one, f"RmtInf/Strd/{path}") for path in ("CdtrRefInf/Ref", "RfrdDocInf/Nb")]
    found += [_texts(one, "RmtInf/Strd/AddtlRmtInf"), _text(one, "Refs/EndToEndId")]
    return [said for said in found if said and said.upper() not in _NO_REFERENCE]


def _own_reference(one: Element) -> str:
    """By which the bank knows a payment."""
    return _text(one, "Refs/AcctSvcrRef", "Refs/TxId", "Refs/InstrId")
