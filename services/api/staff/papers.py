"""The parts of printed papers that come from the settings."""

from typing import Annotated

from fastapi import Depends

from services.api.dependencies import settings_of
from services.core.office.papers.site_papers import Imprint
from services.core.platform.settings import Settings

PaperSettings = Annotated[Settings, Depends(settings_of)]


def imprint_of(settings: Settings) -> Imprint:
    """Return the address and the numbers that papers name."""
    return Imprint(settings.public_url, settings.phones_of_programme())
