"""Errors of imports into DHIS2."""

from __future__ import annotations

from services.core.platform.errors import CoreError, RetryLaterError


class Dhis2NotConfiguredError(CoreError):
    """No DHIS2 system is configured."""

    code = "dhis2_not_configured"
    sentence = "No DHIS2 system is configured. Set SMARTWATCH_DHIS2_URL and its token."


class Dhis2ImportRunningError(RetryLaterError):
    """An import of this programme is in progress."""

    code = "dhis2_import_running"
    sentence = "An import of this programme into DHIS2 is in progress. Wait until it has ended."

    def __init__(self) -> None:
        super().__init__(30)


class Dhis2IdsAmbiguousError(CoreError):
    """Two indicators or two scopes have the same id: one value would overwrite the other."""

    code = "dhis2_ids_ambiguous"
    sentence = "Two indicators, or two sites, have the same id of DHIS2. One value would overwrite the other."


class Dhis2IdsMalformedError(CoreError):
    """The ids of DHIS2 cannot be read."""

    code = "dhis2_ids_malformed"
    sentence = (
        "The ids of DHIS2 are malformed. The file needs `data_elements` (by indicator) and `org_units` (by id of "
        "programme, site or cohort); an id of DHIS2 has 11 letters and digits and begins with a letter."
    )


class SimulatedNotSentError(CoreError):
    """Numbers of a simulated programme are checked at DHIS2, and never stored there."""

    code = "simulated_not_sent"
    sentence = "This programme is simulated. Its numbers can be checked by DHIS2, and are not stored there."
