"""What is refused about contacts."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ContactsFullError(CoreError):
    """The list holds as many contacts as a watch shows."""

    code = "contacts_full"
    sentence = "The contact list is full. Remove somebody first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the bound."""
        return {"most": self.most}


class ContactNumberTakenError(CoreError):
    """The number is in the list already."""

    code = "contact_number_taken"
    sentence = "This number is in the contact list already."


class ContactOfGuardianError(CoreError):
    """A guardian's contact follows the guardian: it is not removed, and its number not changed, in the list."""

    code = "contact_of_guardian"
    sentence = "This contact belongs to a guardian. Change the guardian instead."


class ContactOrderError(CoreError):
    """The order names somebody twice, not at all, or somebody else."""

    code = "contact_order_incomplete"
    sentence = "Name every contact of the list exactly once."
