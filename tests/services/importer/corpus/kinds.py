"""Files of other kinds, some of them under the name .xlsx."""

from tests.services.importer.corpus import samples
from tests.services.importer.files import OTHER_KINDS, SHEET, changed, zipped

CONTENT_TYPES = b'<?xml version="1.0"?><Types/>'

SAMPLES = {
    **samples(
        "not_a_workbook",
        {
            **{name: lambda content=content: content for name, (content, _) in OTHER_KINDS.items()},
            "a zip of other things": lambda: zipped({"readme.txt": b"hello"}),
            "a Word document": lambda: zipped({"word/document.xml": b"<x/>"}),
            "a presentation": lambda: zipped({"ppt/presentation.xml": b"<x/>"}),
            "an OpenDocument sheet": lambda: zipped({"content.xml": b"<x/>", "mimetype": b"x"}),
            "a binary workbook": lambda: zipped({"xl/workbook.bin": b"x"}),
            "an Apple Numbers file": lambda: zipped({"Index/Document.iwa": b"x"}),
        },
    ),
    **samples(
        "unreadable",
        {
            "nothing but content types": lambda: zipped(
                {"[Content_Types].xml": CONTENT_TYPES, "xl/styles.xml": b"<x/>"}
            ),
            "another root element": lambda: changed(**{SHEET: b"<html><body/></html>"}),
        },
    ),
}
