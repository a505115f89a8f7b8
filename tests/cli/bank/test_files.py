"""What a file is, by its content; zipped ones, and such as are none."""

import random
import zipfile
from pathlib import Path

import pytest

from cli.amounts import Misuse
from cli.bank import files
from tests.cli.bank.samples import MT940, document, entry, statement, transfer

ONE = document(statement(entry("1.00", transfer("2026-00001"))))
CSV = b"Datum;Bedrag;Omschrijving\n20260805;1,00;2026-00001\n"


def zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "content", [ONE, b"\xef\xbb\xbf\r\n" + ONE.partition(b"?>")[2], MT940.encode(), CSV]
)
def test_a_file_is_known_by_what_it_holds(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "export.txt"
    file.write_bytes(content)
    assert "2026-00001" in files.read(file)[0].description


def test_a_zip_is_its_files_and_what_stands_in_two_of_them_is_one_line(tmp_path: Path) -> None:
    """As if they were imported one after another; within one file equal lines are two payments."""
    twice = document(statement(*[entry("1.00", transfer("2026-00001"))] * 2))
    other = document(statement(entry("7.00")))
    file = zipped(
        tmp_path / "x.zip",
        ("a/1.xml", ONE), ("a/2.xml", twice), ("a/3.xml", other), ("a/4.xml", ONE),
        ("__MACOSX/a/._1.xml", b"\x00"), (".DS_Store", b"\x00"),
    )  # fmt: skip
    assert [line.amount for line in files.read(file)] == [100, 100, 700]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<x/>")], "is a workbook"),
        ([(".DS_Store", b"")], "holds 0 files"),
        ([("a.xml", b"<" + b" " * (files.MOST_BYTES + 1))], "holds more than a bank's export can"),
        ([("a.pdf", b"%PDF\x00")], "a.pdf in .* is no text"),
        ([(f"{n}", b"") for n in range(files.MOST_FILES + 1)], "holds 1001 files"),
        ([("a.csv", b"")], "a.csv in .* is empty"),
    ],
)
def test_a_zip_that_is_no_export_is_refused(
    tmp_path: Path, members: list[tuple[str, bytes]], says: str
) -> None:
    with pytest.raises(Misuse, match=says):
        files.read(zipped(tmp_path / "x.zip", *members))


def test_a_damaged_zip_a_folder_and_nothing_are_told_apart(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "x.zip", ("a.xml", ONE * 50)).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-30])
    broken = bytearray(whole)
    broken[60:90] = bytes(30)
    (tmp_path / "broken.zip").write_bytes(broken)
    for name, says in (("cut.zip", "it is damaged"), ("broken.zip", "it is damaged"),
                       (".", "is a folder"), ("none.csv", "There is no file")):  # fmt: skip
        with pytest.raises(Misuse, match=says):
            files.read(tmp_path / name)


def test_whatever_happens_to_an_export_its_lines_come_out_or_a_sentence_does(
    tmp_path: Path,
) -> None:
    """Goal: no traceback for a person, whatever a bank or somebody else made of a file. Method:
    seeded small damage to exports of each kind; 18,000 of them, once, gave no other fault."""
    rng, file = random.Random(53), tmp_path / "x"
    seeds = [ONE, MT940.encode(), CSV, zipped(tmp_path / "z", ("1.xml", ONE)).read_bytes()]
    odd = (b"<", b":61:", b"\n", b";", b'"', b"9" * 30, b"\xff", b"</Ntry>", b"&#x0;", b"")
    outcomes = set()
    for _ in range(300):
        damaged = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(damaged) + 1)
            damaged[at : at + rng.choice((0, 0, 1, 30))] = rng.choice(odd)
        file.write_bytes(damaged)
        try:
            outcomes.add(type(files.read(file)))
        except Misuse as said:
            outcomes.add(type(said))
    assert outcomes == {list, Misuse}
