"""Why an import does not happen, by its reasons: (English, Dutch), with their words in braces."""

from __future__ import annotations

from typing import Final

from services.importer.domain.sentences import Sentence

FAILURES: Final[dict[str, Sentence]] = {
    "environment_unknown": (
        "There is no environment {value}.",
        "Er is geen omgeving {value}.",
    ),
    "gdpr_not_accepted": (
        "Before members can be imported, the GDPR terms must be accepted"
        " (`onaccount env accept-gdpr`).",
        "Voordat er leden kunnen worden geïmporteerd, moet akkoord zijn gegeven op de GDPR"
        " (`onaccount env accept-gdpr`).",
    ),
    "not_enabled": (
        "Import from Excel is not switched on for this environment. Ask your supplier, and send"
        " the workbook along.",
        "Importeren uit Excel staat voor deze omgeving niet aan. Neem contact op met uw"
        " leverancier en stuur het Excel-bestand mee.",
    ),
    "unknown_job": (
        "There is no import with this id waiting for an answer.",
        "Er is geen import met dit id die op antwoord wacht.",
    ),
    "job_id_reused": (
        "This job id was used before for another file or other choices; upload with a new one.",
        "Dit job-id is al gebruikt voor een ander bestand of andere keuzes; gebruik een nieuw id.",
    ),
    "invalid_message": (
        "The message could not be read: {value}.",
        "Het bericht kon niet worden gelezen: {value}.",
    ),
    "cancelled": (
        "The import was cancelled.",
        "De import is geannuleerd.",
    ),
    "stopped": (
        "The import was cancelled after {done} of {rows} rows; what was imported stays.",
        "De import is na {done} van {rows} rijen geannuleerd; wat geïmporteerd is, blijft.",
    ),
    "expired": (
        "The import was not finished in time: a part of the file or the confirmation did not come."
        " Upload it again.",
        "De import is niet op tijd afgemaakt: een deel van het bestand of de bevestiging kwam"
        " niet. Upload het bestand opnieuw.",
    ),
    "checksum_mismatch": (
        "The file did not arrive as it was sent (its SHA-256 differs). Upload it again.",
        "Het bestand is niet aangekomen zoals het verstuurd is (de SHA-256 verschilt). Upload het"
        " opnieuw.",
    ),
    "too_large": (
        "The file is larger than {value} MB; split it.",
        "Het bestand is groter dan {value} MB; splits het.",
    ),
    "too_busy": (
        "Too many imports are waiting at this moment. Upload it again later.",
        "Er wachten nu te veel imports. Upload het bestand later opnieuw.",
    ),
    "too_many_rows": (
        "The sheet has more than {value} rows; split it over several files.",
        "Het blad heeft meer dan {value} rijen; verdeel het over meer bestanden.",
    ),
    "not_a_workbook": (
        "This is {value}, not an Excel workbook (.xlsx). {advice}",
        "Dit is {value} en geen Excel-werkmap (.xlsx). {advice}",
    ),
    "unreadable": (
        "The workbook is damaged or not built as Excel builds it. Open it in Excel, save it as"
        " 'Excel Workbook (.xlsx)', and upload that.",
        "De werkmap is beschadigd of niet opgebouwd zoals Excel dat doet. Open haar in Excel, sla"
        " haar op als 'Excel-werkmap (.xlsx)' en upload die.",
    ),
    "too_demanding": (
        "Reading the workbook takes more memory or time than an import may. Keep only the sheet"
        " with members, without pictures and formulas, and upload that.",
        "Het lezen van de werkmap kost meer geheugen of tijd dan een import mag. Bewaar alleen het"
        " blad met leden, zonder afbeeldingen en formules, en upload dat.",
    ),
    "no_header": (
        "No row with column names was found. Put names such as Bedrijf and Rekeningnummer above"
        " the columns, or give a mapping.",
        "Er is geen rij met kolomnamen gevonden. Zet namen zoals Bedrijf en Rekeningnummer boven"
        " de kolommen, of geef een kolomindeling.",
    ),
    "nobody_named": (
        "No column says who the rows are about. Add a column such as Bedrijf, Naam or"
        " Rekeningnummer, or give a mapping.",
        "Geen kolom zegt over wie de rijen gaan. Voeg een kolom zoals Bedrijf, Naam of"
        " Rekeningnummer toe, of geef een kolomindeling.",
    ),
    "columns_unclear": (
        "Several columns can be '{value}': say which one with a mapping.",
        "Meer kolommen kunnen '{value}' zijn: zeg welke het is met een kolomindeling.",
    ),
    "columns_alike": (
        "Several columns are called '{value}'. Give all but one of them another name; put lists"
        " that stand side by side on sheets of their own.",
        "Meer kolommen heten '{value}'. Geef er op één na een andere naam; zet lijsten die naast"
        " elkaar staan op een eigen blad.",
    ),
    "several_lists": (
        "The sheet has names of columns in row {first} and in row {second}. Put each list on a"
        " sheet of its own, with the names of its columns in one row.",
        "Het blad heeft namen van kolommen in rij {first} en in rij {second}. Zet elke lijst op een"
        " eigen blad, met de namen van de kolommen in één rij.",
    ),
    "mapping_unknown": (
        "The mapping names columns that the sheet does not have: {value}.",
        "De kolomindeling noemt kolommen die het blad niet heeft: {value}.",
    ),
    "sheet_unclear": (
        "Several sheets can be the list: say which one.",
        "Meer bladen kunnen de lijst zijn: zeg welk blad het is.",
    ),
    "sheet_unknown": (
        "The workbook has no sheet named '{value}'.",
        "De werkmap heeft geen blad met de naam '{value}'.",
    ),
    "not_processed": (
        "The import could not be carried out because of a fault on our side; what was imported"
        " before it stays. Uploading the file again goes on with the rest.",
        "De import kon door een fout aan onze kant niet worden uitgevoerd; wat al geïmporteerd is,"
        " blijft. Upload het bestand opnieuw voor de rest.",
    ),
    "given_up": (
        "The import could not be carried out to the end because of a fault on our side. {done} of"
        " {rows} rows were carried out for certain, and stay so; the report says which. Uploading"
        " the file again goes on with the rest.",
        "De import kon door een fout aan onze kant niet helemaal worden uitgevoerd. {done} van"
        " {rows} rijen zijn zeker uitgevoerd, en dat blijft zo; het verslag zegt welke. Upload het"
        " bestand opnieuw voor de rest.",
    ),
    "undo_not_processed": (
        "The import could not be taken back to the end because of a fault on our side; what was"
        " taken back stays so. Ask for it again, and it goes on with the rest.",
        "De import kon door een fout aan onze kant niet helemaal ongedaan worden gemaakt; wat al"
        " ongedaan gemaakt is, blijft zo. Vraag het opnieuw, dan gaat het verder met de rest.",
    ),
    "not_possible": (
        "Nothing of this import can be taken back: it imported nothing, or it is still under way"
        " (then cancel it first).",
        "Van deze import kan niets ongedaan worden gemaakt: zij heeft niets geïmporteerd, of zij"
        " is nog bezig (annuleer haar dan eerst).",
    ),
    "too_late": (
        "What this import did is not known any more: an import can be taken back for {value}"
        " days. Change what is wrong by hand.",
        "Wat deze import deed, is niet meer bekend: een import kan {value} dagen ongedaan worden"
        " gemaakt. Wijzig met de hand wat niet klopt.",
    ),
}
