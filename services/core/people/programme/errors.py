"""Errors of the programme's set-up."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class CountryUnknownError(CoreError):
    """The text is not an ISO 3166-1 country code."""

    code = "country_unknown"
    sentence = "The country must be a two-letter code (ISO 3166), such as CN, VN or TR."


class TimezoneUnknownError(CoreError):
    """The text is not an IANA time zone."""

    code = "timezone_unknown"
    sentence = "The time zone must be a name of the IANA list, such as Asia/Shanghai."


class LocaleUnknownError(CoreError):
    """The product does not support the language."""

    code = "locale_unknown"
    sentence = "The language must be one of en, zh-Hans, vi, tr."


class SiteKindUnknownError(CoreError):
    """The kind of site is not in the closed list."""

    code = "site_kind_unknown"
    sentence = "The kind of site must be one of factory, school, centre."


class DatesReversedError(CoreError):
    """The cohort ends before it starts."""

    code = "dates_reversed"
    sentence = "The last day is before the first."


class ProgrammeUnknownError(CoreError):
    """No programme has this name."""

    code = "programme_unknown"
    sentence = "No programme has this name."


class SiteUnknownError(CoreError):
    """No site has this name."""

    code = "site_unknown"
    sentence = "No site has this name."


class SiteAmbiguousError(CoreError):
    """Sites of several programmes have this name."""

    code = "site_ambiguous"
    sentence = "Several programmes have a site of this name. Name the programme as well."


class CohortUnknownError(CoreError):
    """The site has no cohort of this name."""

    code = "cohort_unknown"
    sentence = "The site has no cohort with this name."


class SiteDiffersError(CoreError):
    """The site exists with another country, time zone, language or kind."""

    code = "site_differs"
    sentence = "The site already exists with other attributes."

    def __init__(self, differing: str) -> None:
        super().__init__()
        self.differing = differing

    def fields(self) -> dict[str, int | str]:
        """Return the differing attributes, comma separated."""
        return {"differing": self.differing}


class CohortDiffersError(CoreError):
    """The cohort exists with other dates."""

    code = "cohort_differs"
    sentence = "The cohort already exists with other dates."


class EmailRefusedError(CoreError):
    """The text is not an e-mail address."""

    code = "email_refused"
    sentence = "This is not an e-mail address."


class RoleUnknownError(CoreError):
    """The role is not in the closed list."""

    code = "role_unknown"
    sentence = "The role must be one of factory, coordinator, staff, manager, admin."


class ScopeNeededError(CoreError):
    """A staff account serves one programme or one site; the request named neither or both."""

    code = "scope_needed"
    sentence = "Name either a programme or a site."


class PermissionMissingError(CoreError):
    """The staff member's role does not include this."""

    code = "permission_missing"
    sentence = "Your role does not include the permission for this."

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission

    def fields(self) -> dict[str, int | str]:
        """Return the missing permission."""
        return {"permission": self.permission}


class ScopeOfRoleError(CoreError):
    """Coordinators and factory users serve exactly one site."""

    code = "scope_of_role"
    sentence = "A coordinator or factory user needs a site instead of a programme."


class StaffUnknownError(CoreError):
    """No staff member has this address."""

    code = "staff_unknown"
    sentence = "No staff member has this e-mail address."


class StaffDiffersError(CoreError):
    """The address belongs to a staff member with another name or role."""

    code = "staff_differs"
    sentence = "This e-mail address belongs to a staff member with another name or role."


class StaffEndedError(CoreError):
    """The address belongs to a staff member who has left."""

    code = "staff_ended"
    sentence = "This e-mail address belongs to a staff member who has left."


class EndTooSoonError(CoreError):
    """The programme's last day leaves families less than their notice period."""

    code = "end_too_soon"
    sentence = "Families have 30 days' notice. Choose a later last day."

    def __init__(self, earliest: str) -> None:
        super().__init__()
        self.earliest = earliest

    def fields(self) -> dict[str, int | str]:
        """Return the earliest last day."""
        return {"earliest": self.earliest}
