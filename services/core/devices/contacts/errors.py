"""Errors of contacts."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ContactsFullError(CoreError):
    """The list holds the maximum number of contacts."""

    code = "contacts_full"
    sentence = "The contact list is full. Remove a contact first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the maximum."""
        return {"most": self.most}


class ContactNumberTakenError(CoreError):
    """Another contact of the list has this number."""

    code = "contact_number_taken"
    sentence = "This number is already in the contact list."


class ContactOfGuardianError(CoreError):
    """A guardian's contact follows the guardian: the list can neither remove it nor change its number."""

    code = "contact_of_guardian"
    sentence = "This contact belongs to a guardian. Change the guardian instead."


class ContactOrderError(CoreError):
    """The order does not name every contact of the list exactly once."""

    code = "contact_order_incomplete"
    sentence = "The order must contain every contact of the list exactly once."


class ContactNotApprovedError(CoreError):
    """The contact is only proposed."""

    code = "contact_not_approved"
    sentence = "A guardian who manages the family must approve this contact first."


class LivesWithChildFullError(CoreError):
    """The largest number of contacts who live with the child is reached."""

    code = "lives_with_child_full"
    sentence = "Two contacts are already marked as living with the child. Remove one of them first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the maximum."""
        return {"most": self.most}
