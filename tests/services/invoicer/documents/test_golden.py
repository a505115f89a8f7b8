"""Documents look as when a person last looked at them, and nothing on them is cut or covered."""

import random
import re
from dataclasses import replace
from pathlib import Path

from services.invoicer.documents.payment import epc_payload
from services.invoicer.documents.pdf import render_pdf
from tests.services.invoicer.documents.golden import FOLDER, LOGO, LONG, documents, pictures
from tests.services.invoicer.documents.paper import Picture, drawn, letters, one_over_another
from tests.services.invoicer.documents.samples import (
    AWKWARD,
    SELLER,
    credit_note,
    invoice,
    line,
    many_lines,
    random_documents,
)

MOST_APART = 0.0004
"""Of a page's pixels: about two words. pdfium on another machine may round an edge otherwise."""


def test_every_kind_of_document_looks_as_it_did(tmp_path: Path) -> None:
    """Goal: no change of how documents look goes unseen. Method: pages drawn and compared with
    kept pictures; `make golden` makes them again."""
    made = dict(pictures())
    assert sorted(made) == sorted(path.name for path in FOLDER.glob("*.png")), "run: make golden"
    changed = []
    for name, picture in made.items():
        if picture.differs(Picture.from_png((FOLDER / name).read_bytes())) > MOST_APART:
            (tmp_path / name).write_bytes(picture.png())
            changed.append(name)
    assert not changed, f"these look different, see {tmp_path}; if it is meant: make golden"


def test_another_amount_language_or_logo_would_be_seen() -> None:
    """The comparison is awake: it notices two words."""
    (before,) = drawn(render_pdf(invoice()), 50)
    assert before.differs(drawn(render_pdf(invoice()), 50)[0]) == 0
    for changed in (
        invoice(line(unit_price=9999)),
        invoice(language="en"),
        invoice(seller=replace(SELLER, logo=LOGO)),
    ):
        assert before.differs(drawn(render_pdf(changed), 50)[0]) > MOST_APART


def test_no_letter_is_cut_or_lies_over_another() -> None:
    """Goal: nothing runs off the page or over its neighbour. Method: pdfium says where each letter
    stands; of every kind of document, of long names, and of random ones."""
    worst = invoice(
        *(line(text, quantity="1000000", unit_price=999_999) for text in AWKWARD),
        line("Z" * 300),
        line("W" * 40, quantity="3", total=350),
        buyer=replace(LONG, company="W" * 150, email="e" * 60 + "@" + "d" * 60 + ".example"),
        seller=replace(SELLER, name="Q" * 80, legal_name="Stichting " * 30),
        account_description="A" * 120,
    )
    every = {
        **documents(),
        "worst": render_pdf(worst),
        "500": render_pdf(invoice(*many_lines(500))),
    }
    for n, document in enumerate(random_documents(12, seed=8)):
        every[f"random-{n}"] = render_pdf(document)
    for name, pdf in every.items():
        for page in letters(pdf):
            for letter in page:
                assert 19 < letter.left < letter.right + 0.01 < 191.01, (name, letter)
                assert 10 < letter.bottom < letter.top + 0.01 < 289, (name, letter)
            if not name.startswith("draft"):  # its watermark lies under all of it
                plain = [letter for letter in page if re.fullmatch(r"[A-Za-z0-9]", letter.text)]
                assert one_over_another(plain) == [], name


def test_two_letters_in_one_place_would_be_noticed() -> None:
    (page,) = letters(render_pdf(invoice()))
    assert one_over_another([*page, replace(page[9], left=page[9].left + 0.2)])


def test_the_qr_is_read_as_a_bank_reads_it() -> None:
    """Any scanner reads what EPC069-12 asks for, from a page at a phone camera's sharpness."""
    rng = random.Random(12)
    for _ in range(12):
        document = invoice(
            line(unit_price=rng.randrange(1, 10_000_000)),
            number=f"{rng.choice(('2026', 'DH', 'Ünit'))}-{rng.randrange(10**9)}",
            seller=replace(SELLER, legal_name=rng.choice((SELLER.legal_name, "מועדון", "龍" * 60))),
        )
        (code,) = (code for page in drawn(render_pdf(document), 130) for code in page.codes())
        assert code == epc_payload(document)


def test_a_credit_note_and_a_draft_have_no_qr() -> None:
    for document in (credit_note(), invoice(number=None)):
        assert [page.codes() for page in drawn(render_pdf(document), 130)] == [[]]
