"""Texts of the child, and reading what came."""

from __future__ import annotations

from pydantic import ValidationError

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.records import IN_INBOX, Incoming, Outgoing, OwedReceipt, WatchRefusedError
from services.protocol import codec
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Text
from services.protocol.words import FAMILY, ReceiptState


class Mailbox:
    """Writes texts and emoji, and marks items as read. Each is on the disk when its method returns."""

    def __init__(self, body: WatchBody, network: WatchNetwork) -> None:
        self._body = body
        self._store = body.store
        self._network = network

    @property
    def is_locked(self) -> bool:
        """Whether the screen is locked because the watch was reported as lost."""
        return self._store.is_locked()

    def write(self, to: str, text: str) -> Outgoing:
        """Write a text to a contact (id or name) or to `family`; it is kept until its receipt."""
        return self._keep(to, text=text)

    def emoji(self, to: str, word: str) -> Outgoing:
        """Send one of the emoji of the protocol; it is kept until its receipt."""
        return self._keep(to, emoji=word)

    def read(self, ref: str) -> Incoming:
        """Read an item of the inbox; the first time, its sender gets `played`. KeyError for an unknown item."""
        item = self._store.items.find(ref)
        if item is None or item.state not in IN_INBOX:
            raise KeyError(ref)
        receipt = OwedReceipt(ref, ReceiptState.PLAYED.value, **self._body.dated())
        if self._store.items.mark_played(ref, receipt):
            self._network.wake()
        return self._store.items.find(ref) or item

    def address(self, to: str) -> str:
        """Return the recipient's id: `family`, a contact's id, or the contact with this name.

        Raises WatchRefusedError while the watch is not paired or locked, and for a name without exactly one contact.
        """
        self._body.refuse_when_flat()
        if self._store.username() is None:
            raise WatchRefusedError("the watch is not paired")
        if self.is_locked:
            raise WatchRefusedError("the screen is locked: this watch was reported as lost")
        if to == FAMILY:
            return FAMILY
        contacts = self._store.contacts()
        for contact in contacts:
            if contact.id == to:
                return contact.id
        named = [contact.id for contact in contacts if contact.name.casefold() == to.casefold()]
        if len(named) == 1:
            return named[0]
        raise WatchRefusedError(
            "no contact has this name" if not named else "several contacts have this name: use the id"
        )

    def _keep(self, to: str, **content: str) -> Outgoing:
        address = self.address(to)
        wire_id = self._body.new_id()
        try:
            message = Text.model_validate({"id": wire_id, "to": address, **content, **self._body.dated()})
        except ValidationError as error:
            raise WatchRefusedError(error.errors(include_url=False, include_input=False)[0]["msg"]) from None
        kept = self._store.outgoing.keep(wire_id, UplinkKind.TEXT.value, codec.encode(message))
        self._network.wake()
        return kept
