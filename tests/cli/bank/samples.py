"""A bank's days in CAMT.053, written here: as version 02 and as version 08 have it."""

from __future__ import annotations

SPACE = "urn:iso:std:iso:20022:tech:xsd:"
ACCOUNT = "NL91ABNA0417164300"


def entry(
    amount: str,
    *details: str,
    version: int = 2,
    sign: str = "CRDT",
    status: str = "BOOK",
    day: str = "2026-08-05",
    more: str = "",
    reference: str = "",
) -> str:
    """An entry of a statement; `more` are elements that stand before its details."""
    state = status if version < 8 else f"<Cd>{status}</Cd>"
    own = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
    its = f"<NtryDtls>{''.join(details)}</NtryDtls>" if details else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}'
        f"<Sts>{state}</Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>{own}"
        f"{its}<AddtlNtryInf>Overschrijving</AddtlNtryInf></Ntry>"
    )


def transfer(
    text: str,
    amount: str | None = None,
    *,
    version: int = 2,
    name: str = "Hr J. Jansen",
    iban: str = "NL20INGB0001234567",
    structured: str = "",
    end_to_end: str = "NOTPROVIDED",
) -> str:
    """One payment of an entry."""
    party = f"<Nm>{name}</Nm>" if version < 8 else f"<Pty><Nm>{name}</Nm></Pty>"
    refs = f"<Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>"
    said = f'<Amt Ccy="EUR">{amount}</Amt>' if amount else ""
    money = said if version >= 8 else f"<AmtDtls><TxAmt>{said}</TxAmt></AmtDtls>" if said else ""
    words = f"<Ustrd>{text}</Ustrd>" if text else ""
    return (
        f"<TxDtls>{refs}{money}<RltdPties><Dbtr>{party}</Dbtr>"
        f"<DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf>{words}{structured}</RmtInf></TxDtls>"
    )


def statement(*entries: str, account: str = ACCOUNT) -> str:
    own = f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    return f"<Stmt><Id>1</Id>{own}<Bal/>{''.join(entries)}</Stmt>"


def document(*statements: str, version: int = 2, kind: str = "camt.053", head: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<Document xmlns="{SPACE}{kind}.001.{version:02}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>m</MsgId></GrpHdr>{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


MT940 = """ABNANL2A
940
ABNANL2A
:20:ABN AMRO BANK NV
:25:417164300
:28:21801/1
:60F:C260804EUR3749,50
:61:2608050805C1250,50N654NONREF
:86:/TRTP/SEPA OVERBOEKING/IBAN/NL20INGB0001234567/BIC/INGBNL2A/NAME/Hr J
. Jansen/REMI/factuur 2026-00001/EREF/NOTPROVIDED
:61:2608060806D80,N426NONREF
:86:BEA   06.08.26 Bakker
:62F:C260806EUR4920,00
-
"""
MT940_ING = """{1:F01INGBNL2ABXXX0000000000}
{2:I940INGBNL2AXXXN}
{4:
:20:P260806000000001
:25:NL91INGB0417164300EUR
:28C:00000
:60F:C260804EUR3749,50
:61:2608050805C1250,50NTRFEREF//26217-1
/TRCD/00100/
:86:/EREF/NOTPROVIDED//CNTP/NL20INGB0001234567/INGBNL2A/Hr J. Jansen///REM
I/USTD//factuur 2026-00001/
:61:2608060806D80,00NTRFEREF//26218-1
/TRCD/01026/
:86:/CNTP/NL69INGB0123456789/INGBNL2A/Bakker///REMI/USTD//Brood/
:62F:C260806EUR4920,00
-}
"""
