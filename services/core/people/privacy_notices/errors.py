"""Errors of privacy notices."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class SiteIncompleteError(CoreError):
    """In production no family is enrolled, and no consent recorded, at a site whose notice is incomplete."""

    code = "site_incomplete"
    sentence = "The site has not stated yet who is responsible for the data. Complete its privacy notice first."

    def __init__(self, missing: str) -> None:
        super().__init__()
        self.missing = missing

    def fields(self) -> dict[str, int | str]:
        """Return the missing fields, comma separated."""
        return {"missing": self.missing}


class NoticeOutdatedError(CoreError):
    """The privacy notice that was shown is not the one in force."""

    code = "notice_outdated"
    sentence = "This privacy notice is out of date. Read the current one first."

    def __init__(self, current_version: str) -> None:
        super().__init__()
        self.current_version = current_version

    def fields(self) -> dict[str, int | str]:
        """Return the version in force."""
        return {"current_version": self.current_version}


class FilingNumberError(CoreError):
    """A filing number of a site outside China."""

    code = "filing_number_not_here"
    sentence = "Only sites in China have a filing number."


class TooManyProcessorsError(CoreError):
    """The list of processors is too long to be read."""

    code = "processors_too_many"
    sentence = "A notice names at most 20 processors."
