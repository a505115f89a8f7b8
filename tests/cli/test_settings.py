"""The page about the settings is what the code says."""

from pathlib import Path

from cli.commands.settings import page
from runtime.settings_table import settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_generated_from_the_settings() -> None:
    hint = "run: onaccount settings --markdown > docs/settings.md"
    assert PAGE.read_text(encoding="utf-8") == page(settings()), hint


def test_every_setting_has_a_meaning_and_a_name_of_ours() -> None:
    found = settings()
    assert [one.name for one in found if not one.meaning] == []
    assert all(one.name.startswith("ONACCOUNT_") for one in found)
    assert len({one.name for one in found}) == len(found)


def test_a_secret_has_no_default_that_is_shown() -> None:
    assert {one.default for one in settings() if one.type == "secret"} <= {None, ""}
