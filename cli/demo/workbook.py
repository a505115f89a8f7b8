"""The workbook of the help article, as an administrator would save it: ten companies, each with
an account number of the environment's own series, a limit and where its invoice goes.
"""

from __future__ import annotations

import io
from typing import Final

import xlsxwriter

ENVIRONMENT: Final = 2890
HEADERS: Final = (
    "Bedrijf", "Rekeningnummer", "Limiet", "E-mailadres", "Adres", "Postcode", "Plaats", "KVK",
)  # fmt: skip

# Invented companies. A chamber number, where there is one, makes the invoice a Peppol invoice.
COMPANIES: Final = (
    ("Brouwerij De Kraan B.V.", 500, "administratie@brouwerij-de-kraan.nl",
     "Havenkade 14", "3511 AB", "Utrecht", "61204387"),
    ("Van Loon & Dochters Schilderwerken", 250, "facturen@vanloonendochters.nl",
     "Kerkstraat 3", "3401 CD", "IJsselstein", "30258146"),
    ("Garage Het Zuideinde", 300, "boekhouding@garage-zuideinde.nl",
     "Zuideinde 88", "3991 XK", "Houten", ""),
    ("Bakkerij Morgenrood", 150, "info@bakkerij-morgenrood.nl",
     "Marktplein 7", "3995 BG", "Houten", "70418823"),
    ("Notariskantoor Wielinga & Postma", 1000, "crediteuren@wielingapostma.nl",
     "Maliesingel 21", "3581 BC", "Utrecht", "54930172"),
    ("Installatiebedrijf Stroomopwaarts B.V.", 400, "administratie@stroomopwaarts-installatie.nl",
     "Industrieweg 45", "3433 NL", "Nieuwegein", "66013945"),
    ("Stichting Jeugdzeilen De Plas", 200, "penningmeester@jeugdzeilendeplas.nl",
     "Plasdijk 2", "3645 HE", "Vinkeveen", ""),
    ("Fysiotherapie Rondom Fit", 250, "praktijk@rondomfit-fysio.nl",
     "Sportlaan 30", "3991 TT", "Houten", "58127460"),
    ("Kwekerij De Groene Bocht", 350, "facturatie@degroenebocht-kwekerij.nl",
     "Tuurdijk 61", "3997 MS", "'t Goy", ""),
    ("Reclamestudio Zeefdruk & Zo", 50, "hallo@zeefdrukenzo.nl",
     "Ambachtsweg 9", "3985 RG", "Werkhoven", "69240518"),
)  # fmt: skip


def workbook(environment: int = ENVIRONMENT) -> bytes:
    """The .xlsx file's bytes: a header row and ten rows; limits in euros, account numbers as
    Excel makes them of digits (numbers), chamber numbers as text."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Rekeningen")
        bold = book.add_format({"bold": True, "bottom": 1})
        euros = book.add_format({"num_format": "#,##0.00"})
        whole = book.add_format({"num_format": "0"})
        sheet.write_row(0, 0, HEADERS, bold)
        sheet.freeze_panes(1, 0)
        for column, width in enumerate((38, 16, 10, 44, 20, 10, 14, 11)):
            sheet.set_column(column, column, width)
        for row, (name, limit, mail, street, postcode, city, chamber) in enumerate(COMPANIES, 1):
            sheet.write_string(row, 0, name)
            sheet.write_number(row, 1, int(f"{environment}{row:04}"), whole)
            sheet.write_number(row, 2, limit, euros)
            for column, text in enumerate((mail, street, postcode, city, chamber), start=3):
                sheet.write_string(row, column, text)
    return file.getvalue()
