"""Bank exports as they are found: five shapes of one payment, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from cli.amounts import Misuse
from cli.bank.files import read
from cli.bank.lines import Line
from cli.bank.table import lines

ING = """"Datum";"Naam / Omschrijving";"Rekening";"Tegenrekening";"Code";"Af Bij";"Bedrag (EUR)";\
"Mutatiesoort";"Mededelingen";"Saldo na mutatie";"Tag"
"20260805";"Hr J. Jansen";"NL91ABNA0417164300";"NL20INGB0001234567";"OV";"Bij";"1250,50";\
"Overschrijving";"Naam: Hr J. Jansen Omschrijving: factuur 2026-00001";"5000,00";""
"20260806";"Bakker";"NL91ABNA0417164300";"NL69INGB0123456789";"IC";"Af";"80,00";"Incasso";\
"Brood";"4920,00";""
"""
RABO = """"IBAN/BBAN","Munt","BIC","Volgnr","Datum","Rentedatum","Bedrag","Saldo na trn",\
"Tegenrekening IBAN/BBAN","Naam tegenpartij","Naam uiteindelijke partij","Betalingskenmerk",\
"Omschrijving-1","Omschrijving-2","Omschrijving-3"
"NL91RABO0315273637","EUR","RABONL2U","000000000000012345","2026-08-05","2026-08-05","+1250,50",\
"+5000,00","NL20INGB0001234567","Hr J. Jansen","","","factuur 2026-","00001",""
"NL91RABO0315273637","EUR","RABONL2U","000000000000012346","2026-08-06","2026-08-06","-80,00",\
"+4920,00","NL69INGB0123456789","Bakker","","","Brood","",""
"""
ABN = (
    "417164300\tEUR\t20260805\t3749,50\t5000,00\t20260805\t1250,50\t/TRTP/SEPA OVERBOEKING"
    "/IBAN/NL20INGB0001234567/BIC/INGBNL2A/NAME/Hr J. Jansen/REMI/factuur 2026-00001/EREF/X\n"
    "417164300\tEUR\t20260806\t5000,00\t4920,00\t20260806\t-80,00\tBEA  06.08.26 Bakker\n"
)
KNAB = """KNAB EXPORT;;;;;;;;
Rekeningnummer;Transactiedatum;Valutacode;CreditDebet;Bedrag;Tegenrekeningnummer;\
Tegenrekeninghouder;Valutadatum;Omschrijving
NL91KNAB0417164300;05-08-2026;EUR;C;1250,50;NL20INGB0001234567;Hr J. Jansen;05-08-2026;2026-00001
NL91KNAB0417164300;06-08-2026;EUR;D;80,00;NL69INGB0123456789;Bakker;06-08-2026;Brood
"""
REVOLUT = """Date started (UTC),Date completed (UTC),ID,Type,State,Description,Reference,Payer,\
Orig currency,Orig amount,Payment currency,Amount,Fee,Balance,Account,Beneficiary IBAN
2026-08-05 09:12:44,2026-08-05 09:12:45,66b0-1,TOPUP,COMPLETED,Money added from Hr J. Jansen,\
factuur 2026-00001,Hr J. Jansen,EUR,1250.50,EUR,1250.50,0.00,5000.00,EUR Main,
2026-08-05 10:00:00,,66b0-2,TOPUP,PENDING,Money added,2026-00002,Piet,EUR,7.00,EUR,7.00,0.00,,\
EUR Main,
2026-08-05 11:00:00,2026-08-05,66b0-3,TRANSFER,REVERTED,To Bakker,,,EUR,-80.00,EUR,-80.00,0.00,,\
EUR Main,
2026-08-06 08:00:00,2026-08-06 08:00:01,66b0-4,TRANSFER,COMPLETED,To Bakker,Brood,,EUR,-80.00,EUR,\
-80.00,0.00,4920.00,EUR Main,NL69INGB0123456789
"""
REVOLUT_PERSONAL = """Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,\
State,Balance
TOPUP,Current,2026-08-05 09:12:44,2026-08-05 09:12:45,Hr J. Jansen factuur 2026-00001,1250.50,0.00,\
EUR,\
COMPLETED,5000.00
TRANSFER,Current,2026-08-06 08:00:00,2026-08-06 08:00:01,Brood,-80.00,0.00,EUR,COMPLETED,4920.00
CARD_PAYMENT,Current,2026-08-06 09:00:00,,Hotel,-12.00,0.00,EUR,PENDING,
"""
TWO_COLUMNS = """Datum;Naam;IBAN;Debet;Credit;Omschrijving
05-08-2026;Hr J. Jansen;NL20INGB0001234567;;"1.250,50";factuur 2026-00001
06-08-2026;Bakker;;80,00;0,00;Brood
"""
PLAIN = """Date,Amount,Name,IBAN,Description
05-08-2026,"1.250,50",Hr J. Jansen,NL20 INGB 0001 2345 67,factuur 2026-00001
06-08-2026,-80.00,Bakker,,Brood
"""


DAY = date(2026, 8, 5)


@pytest.mark.parametrize(
    "text",
    [ING, RABO, ABN, KNAB, TWO_COLUMNS, PLAIN],
    ids=["ing", "rabo", "abn", "knab", "debit and credit", "plain"],
)
def test_one_payment_reads_the_same_in_each_banks_export(text: str) -> None:
    came, went = lines(text, "export.csv")
    assert (came.on, came.amount, came.currency) == (date(2026, 8, 5), 125050, "EUR")
    assert (came.name, came.iban) == ("Hr J. Jansen", "NL20INGB0001234567")
    assert "2026-00001" in came.description.replace(" ", "")
    assert (went.on, went.amount) == (date(2026, 8, 6), -8000)


def test_a_line_is_the_same_line_in_a_later_longer_export_with_other_quotes() -> None:
    head, first, *_ = ING.splitlines()
    longer = "\n".join([head, first.replace("20260805", "20260801"), first.replace('"', "")])
    again = lines(longer, "x")[1]
    assert again.identity == lines(ING, "x")[0].identity
    assert again.row != lines(ING, "x")[0].row


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("Naam;Plaats\nJan;Utrecht\n", "no column with a date"),
        ("Datum;Naam\n20260801;Jan\n", "no column with an amount"),
        ("Datum;Bedrag\n20260801;12,345\n", "line 2: '12,345' is not an amount"),
        ("Datum;Bedrag\n20260801;1e5\n", "is not an amount"),
        ("Datum;Bedrag\n31-02-2026;12,50\n", "'31-02-2026' is not a date"),
        ("Datum;Bedrag;Af Bij\n20260801;12,50;Weg\n", "'Weg' does not say whether"),
        ("Datum;Bedrag;Af Bij\n20260801;12,50;\n", "'' does not say whether"),
        ("Datum;Debet\n20260801;12,50\n", "no column with an amount"),
        ("Datum;Debet;Credit\n20260801;;\n", "line 2: '' and '' do not say whether"),
        ("Datum;Debet;Credit\n20260801;1,00;2,00\n", "'1,00' and '2,00' do not say whether"),
        ("Datum;Debet;Credit\n20260801;;-2,00\n", "'' and '-2,00' do not say whether"),
        (
            "Datum;Debet;Credit\n20260801;12,50;\n20260802;-12,50;\n",
            "line 3: '-12,50' and '' do not say whether",
        ),
        ("Datum;Bedrag;W;V\n20260801;12,50;Af;Bij\n", "'Af Bij' does not say whether"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(Misuse, match=says):
        lines(text, "export.csv")


def test_money_that_went_out_is_known_by_its_word_whatever_its_column_is_called() -> None:
    text = "Datum;Bedrag;Richting;Soort\n20260801;12,50;Af;x\n20260802;12,50;Bij;y\n20260803;1;Af\n"
    assert [each.amount for each in lines(text, "x")] == [-1250, 1250, -100]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("out", "into"), [("Af", "Bij"), ("Debit", "Credit"), ("Paid out", "Paid in")]
)
def test_what_went_out_and_what_came_in_may_stand_in_columns_of_their_own(
    out: str, into: str, sign: str
) -> None:
    text = (
        f"Datum;{into};{out}\n20260801;12,50;0,00\n20260802;;{sign}3,00\n"
        f"20260803;0;{sign}4,00\n20260804;0;\n"
    )
    assert [each.amount for each in lines(text, "x")] == [1250, -300, -400, 0]


def test_where_there_is_an_amount_besides_it_is_what_counts() -> None:
    text = "Datum;Bedrag;Debet;Credit\n20260801;-12,50;12,50;\n20260802;3,00;;3,00\n"
    assert [each.amount for each in lines(text, "x")] == [-1250, 300]


def test_a_column_of_dashes_where_a_bank_has_nothing_to_say_turns_no_money_round() -> None:
    text = "Datum;Bedrag;Kenmerk\n20260801;12,50;-\n20260802;-3,00;-\n"
    assert [each.amount for each in lines(text, "x")] == [1250, -300]


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12,50", 1250), ("12.5", 1250), ("+12", 1200), ("1.234,56", 123456),
        ("1,234.56", 123456), ("-0,01", -1), ("€ 3,00", 300), ("1 000,00", 100000),
    ],
)  # fmt: skip
def test_amounts_are_read_exactly(text: str, cents: int) -> None:
    (line,) = lines(f"Datum;Bedrag\n20260801;{text}\n", "x")
    assert line.amount == cents


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("JPY", "1200", 1200), ("JPY", "1200.00", 1200), ("JPY", "1,200", 1200),
        ("JPY", "-1,200.00", -1200), ("KWD", "1.234", 1234), ("KWD", "12,5", 12500),
        ("KWD", "1,234.500", 1234500), ("ISK", "ISK 1.200", 1200),
    ],
)  # fmt: skip
def test_a_currency_is_read_with_the_decimals_that_it_has(
    currency: str, text: str, minor: int
) -> None:
    (line,) = lines(f"Datum;Munt;Bedrag\n20260801;{currency};{text}\n", "x")
    assert (line.amount, line.currency) == (minor, currency)


def test_a_part_of_the_smallest_coin_is_no_amount() -> None:
    with pytest.raises(Misuse, match="'12,50' is not an amount in JPY"):
        lines("Datum;Munt;Bedrag\n20260801;JPY;12,50\n", "x")


def test_a_file_of_an_old_bank_program_and_one_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes("Datum;Bedrag;Naam\n20260801;12,50;Café Zoë\n".encode("cp1252"))
    (line,) = read(file)
    assert isinstance(line, Line)
    assert line.name == "Café Zoë"
    file.write_bytes(b"\xd0\xcf\x11\xe0\x00\x00")
    with pytest.raises(Misuse, match="is no text: save it from your bank as"):
        read(file)


def test_revolut_tells_what_is_done_and_no_more_counts() -> None:
    came, went = lines(REVOLUT, "x")
    assert (came.on, came.amount, came.name) == (DAY, 125050, "Hr J. Jansen")
    assert (came.reference, came.account) == ("factuur 2026-00001", "EURMAIN")
    assert (went.on, went.amount) == (date(2026, 8, 6), -8000)
    came, went = lines(REVOLUT_PERSONAL, "x")
    assert (came.on, came.amount, went.amount) == (DAY, 125050, -8000)
    assert "2026-00001" in came.description


def test_a_column_of_states_that_means_something_else_is_left_alone() -> None:
    text = "Date,Amount,State\n2026-08-05,12.50,Utrecht\n2026-08-05,3.00,\n"
    assert [each.amount for each in lines(text, "x")] == [1250, 300]
