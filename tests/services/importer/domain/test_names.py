"""Names fall apart as people write them, and compare without case, accents and dots."""

import pytest

from services.importer.domain.names import (
    email_key,
    full_name,
    infix_behind,
    key_of,
    looked_up_by,
    name_keys,
    split_name,
)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Jan Jansen", ("Jan", "", "Jansen")),
        ("Jan de Vries", ("Jan", "de", "Vries")),
        ("Anna Maria van der Berg", ("Anna Maria", "van der", "Berg")),
        ("Vries, Jan de", ("Jan", "de", "Vries")),
        ("Jansen, J.", ("J.", "", "Jansen")),
        ("Jan Jansen sr.", ("Jan", "", "Jansen sr.")),
        ("Jan Jansen, jr.", ("Jan", "", "Jansen jr.")),
        ("Jan de Vries Junior", ("Jan", "de", "Vries Junior")),
        ("Jansen sr., Jan", ("Jan", "", "Jansen sr.")),
        ("Jan Peter Jansen jr. II", ("Jan Peter", "", "Jansen jr. II")),
        ("Jansen sr", ("", "", "Jansen sr")),
        ("Piet Junior", ("Piet", "", "Junior")),
        ("Bakker, Junior", ("Junior", "", "Bakker")),
        ("Bakker, jr.", ("", "", "Bakker jr.")),
        ("van der Berg, sr.", ("", "van der", "Berg sr.")),
        ("de Vries, Junior", ("Junior", "", "de Vries")),
        ("Berg, Jan van der", ("Jan", "van der", "Berg")),
        ("Jan van de", ("Jan", "van", "de")),
        ("van der, sr.", ("", "", "van der sr.")),
        ("Bakker, Jan jr.", ("Jan jr.", "", "Bakker")),
        ("Jan jr. II", ("", "", "Jan jr. II")),
        ("Jansen, jr. II", ("", "", "Jansen jr. II")),
        ("van der Berg, sr. Jan", ("sr. Jan", "", "van der Berg")),
        ("Piet Junior II", ("Piet", "", "Junior II")),
        ("Jan Peter II", ("Jan", "", "Peter II")),
        ("Vries de, Jan", ("Jan", "de", "Vries")),
        ("Vries, de", ("", "de", "Vries")),
        ("Jansen, Al", ("Al", "", "Jansen")),
        ("Berg, van der, Anna", ("Anna", "van der", "Berg")),
        ("Nguyen Van, Anh", ("Anh", "", "Nguyen Van")),
    ],
)
def test_a_persons_name_falls_apart(name: str, parts: tuple[str, str, str]) -> None:
    found = split_name(name)
    assert tuple(found.get(k, "") for k in ("first_name", "infix", "last_name")) == parts


@pytest.mark.parametrize(
    ("name", "last", "infix"),
    [
        ("Vries, de", "Vries", "de"),
        ("Berg (van den)", "Berg", "van den"),
        ("Bos, arts", "Bos, arts", ""),
        ("Bos, de arts", "Bos, de arts", ""),
        ("Vries de", "Vries de", ""),
        ("Bos", "Bos", ""),
    ],
)
def test_an_infix_may_stand_behind_its_last_name(name: str, last: str, infix: str) -> None:
    assert infix_behind(name) == {"last_name": last, **({"infix": infix} if infix else {})}


@pytest.mark.parametrize(
    "name",
    [
        "De Kraan B.V.",
        "Stichting Jeugd",
        "Van Loon & Zonen",
        "Heineken",
        "Café de Zon",
        "H2O",
        "De Kraan,",
        "Bos, Smit, Mos",
        "Bos, de, Smit, Mos",
    ],
)
def test_a_companys_name_stays_whole(name: str) -> None:
    assert split_name(name) == {"company": name}


def test_names_are_compared_without_case_accents_and_dots() -> None:
    one, other = {"company": "Café de Zon B.V."}, {"company": "CAFE DE ZON BV"}
    assert name_keys(one) == name_keys(other)
    assert name_keys({"first_name": "Jan", "infix": "de", "last_name": "Vries"}) == {"jandevries"}
    assert full_name({"company": "X"}) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë Çelik", "zoe celik"),
        ("Ёлка", "Елка"),
        ("Αγγέλα", "Αγγελα"),
        ("שָׁלוֹם", "שלום"),
        ("ｶﾞ", "ガ"),
        ("葛\U000e0100城", "葛城"),
        ("राम-रमा", "राम रमा"),
        ("山☀\ufe0f川", "山☀川"),
        ("ᠮ\u180bᠣ", "ᠮᠣ"),
    ],
)
def test_an_accent_or_how_a_letter_is_drawn_tells_nobody_from_another(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("राम", "रमा"), ("がき", "かき"), ("กิน", "กัน"), ("Zoë राम", "Zoë रमा")]
)
def test_a_mark_that_is_a_letter_does_and_both_are_looked_at(one: str, other: str) -> None:
    """Else whoever is the only one of that name gets the other's account."""
    assert key_of(one) != key_of(other)
    assert looked_up_by(key_of(one)) == looked_up_by(key_of(other))
    assert looked_up_by(key_of("!!!")) == "!!!"


@pytest.mark.parametrize("mail", ["test@test.nl", "a@example.com", "b@x.test", "c@q.invalid"])
def test_a_made_up_address_identifies_nobody(mail: str) -> None:
    assert email_key(mail) is None


def test_an_address_counts_without_case_unless_it_is_said_to_be_fictitious() -> None:
    assert email_key("Info@Club.NL") == "info@club.nl"
    assert email_key("info@club.nl", fictitious=True) is None
    assert [email_key(f"x@{where}") for where in ("example.eu", "test.com", "a.test")] == [None] * 3
