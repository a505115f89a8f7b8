"""What a country is called in Dutch and English, as ISO 3166-1 and its translations have it."""

from functools import lru_cache
from gettext import NullTranslations, translation

from services.invoicer.documents.model import Language


@lru_cache(256)
def country_name(code: str, language: Language) -> str:
    """ "Ierland" for IE in Dutch; a code that is none stays as it is."""
    import pycountry  # only where an address is abroad

    found = pycountry.countries.get(alpha_2=code)
    if found is None:
        return code
    name = str(getattr(found, "common_name", None) or found.name)
    return name if language == "en" else _words(language).gettext(name)


@lru_cache(2)
def _words(language: Language) -> NullTranslations:
    import pycountry

    return translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
