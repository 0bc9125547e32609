"""Commands of the parent's console: family, children, contacts, guardians."""

from __future__ import annotations

from services.device_sim.console.console import Command, CommandError, agrees, number, paragraphs, printable, say, words
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Child, Contact, Family
from services.device_sim.parent.types import has_consent

_RIGHTS = {"message": "may_message", "locate": "may_locate", "manage": "may_manage"}


class FamilyCommands:
    """Works on the first family and child unless `use` selected another child."""

    def __init__(self, parent: SimParent) -> None:
        self._parent = parent
        self._child_id: str | None = None

    def commands(self) -> list[Command]:
        """Return the commands, in the order of a first evening."""
        return [
            Command("me", "me", "who is logged in, families, invitations", self.show_me),
            Command("name", "name NAME", "what watches call you", self._name),
            Command(
                "consent", "consent [yes|PART]", "read what is agreed to; agree to messages, or a part", self._consent
            ),
            Command("accept", "accept", "join the family that invited you, agreeing to messages", self._accept),
            Command("child", "child [NAME [YEAR]]", "the children; or add one", self._child),
            Command("use", "use N", "talk about child N from now on", self._use),
            Command("pair", "pair CODE", "enter the code that the watch shows", self._pair),
            Command("arrived", "arrived", "the watch has reached the child", self._arrived),
            Command("unpair", "unpair", "end the pairing; the watch wipes itself", self._unpair),
            Command("contacts", "contacts", "who can reach the child", self._contacts),
            Command("add", "add RELATION NUMBER NAME", "propose a phone contact", self._add),
            Command("approve", "approve N", "let contact N reach the watch", self._approve),
            Command("order", "order N N ...", "set the order of the contacts", self._order),
            Command("remove", "remove N", "remove contact N", self._remove),
            Command("invite", "invite PHONE RELATION [message] [locate] [manage]", "another guardian", self._invite),
            Command("guardians", "guardians", "who belongs to the family", self._guardians),
        ]

    async def family(self) -> Family:
        """Return the selected family."""
        families = (await self._parent.me()).families
        if not families:
            raise CommandError("you belong to no family yet; `me` shows invitations")
        return families[0]

    async def child(self) -> Child:
        """Return the selected child."""
        if self._child_id is not None:
            return await self._parent.family.child(self._child_id)
        children = await self._parent.family.children((await self.family()).family_id)
        if not children:
            raise CommandError("there is no child yet: child NAME")
        self._child_id = children[0].child_id
        return children[0]

    async def show_me(self, _rest: str) -> None:
        """Print who is logged in."""
        me = await self._parent.me()
        say(f"{printable(me.display_name) or 'no name yet'} {me.phone}")
        for family in me.families:
            rights = " ".join(word for word, name in _RIGHTS.items() if getattr(family, name))
            agreed = "agreed to messages" if has_consent(family) else "not agreed yet: consent yes"
            place = "first guardian" if family.is_primary else "guardian"
            say(f"  family {family.family_code} ({place}; {rights}); {agreed}")
        for invitation in me.invitations:
            say(f"  invited to family {invitation.family_code} as {invitation.relation}: accept")

    async def _name(self, rest: str) -> None:
        (name,) = words(rest, 1, "name NAME")
        await self._parent.family.rename(name)

    async def _consent(self, rest: str) -> None:
        locale = (await self._parent.me()).locale
        parts = {text.part for text in await self._parent.family.consent_texts(locale)}
        wanted = "messages" if rest == "yes" else rest
        if wanted and wanted not in parts:
            raise CommandError(f"consent yes, or to one of: {', '.join(sorted(parts))}")
        await self.show_consent(wanted or None, locale)
        if not wanted:
            say("  to agree to messages: consent yes; to another part: consent PART")
            return
        if await agrees():
            given = await self._parent.family.consent((await self.family()).family_id, wanted, locale=locale)
            say(f"agreed to {given.part}, text {given.text_version}")

    async def show_consent(self, part: str | None, locale: str) -> None:
        """Print what is agreed to, before it is agreed to: the privacy notice and the text of a part, or all texts."""
        notice = await self._parent.family.privacy_notice((await self.family()).family_id, locale)
        say(f"  read first, nothing to agree to ({notice.notice_version}):{paragraphs(notice.text)}")
        for text in await self._parent.family.consent_texts(locale):
            if part in {None, text.part}:
                say(f"  {text.part} ({text.text_version}):{paragraphs(text.text)}")

    async def _accept(self, _rest: str) -> None:
        me = await self._parent.me()
        if not me.invitations:
            raise CommandError("there is no invitation for you")
        await self._parent.family.accept_invitation(me.invitations[0].invitation_id, locale=me.locale)
        await self.show_me("")

    # ---------------------------------------------------------------- children and watches

    async def _child(self, rest: str) -> None:
        family_id = (await self.family()).family_id
        if rest:
            name, _, year = rest.rpartition(" ") if rest.rpartition(" ")[2].isdecimal() else (rest, "", "")
            self._child_id = (
                await self._parent.family.create_child(family_id, name or rest, int(year) if name and year else None)
            ).child_id
        for place, child in enumerate(await self._parent.family.children(family_id), 1):
            watch = child.watch
            how = "no watch" if watch is None else f"watch {watch.watch_serial} {watch.state}"
            if watch is not None and watch.on_its_way_since_at is not None:
                how += ", on its way to the child"
            if watch is not None and watch.battery_pct is not None:
                how += f", battery {watch.battery_pct} %"
            mark = "→" if child.child_id == self._child_id else " "
            say(f"  {mark} {place}. {printable(child.name)}: {how}")

    async def _use(self, rest: str) -> None:
        children = await self._parent.family.children((await self.family()).family_id)
        self._child_id = children[number(rest, len(children)) - 1].child_id

    async def _pair(self, rest: str) -> None:
        (code,) = words(rest, 1, "pair CODE")
        pairing = await self._parent.family.pair((await self.child()).child_id, code)
        say(f"watch {pairing.watch_serial}: {pairing.state}")

    async def _arrived(self, _rest: str) -> None:
        await self._parent.family.arrived((await self.child()).child_id)
        say("the watch is with the child")

    async def _unpair(self, _rest: str) -> None:
        await self._parent.family.unpair((await self.child()).child_id)
        say("unpaired")

    # ---------------------------------------------------------------- contacts

    async def _listed(self) -> tuple[Child, list[Contact]]:
        child = await self.child()
        contact_list = await self._parent.family.contacts(child.child_id)
        return child, contact_list.contacts

    async def _contacts(self, _rest: str) -> None:
        child = await self.child()
        contact_list = await self._parent.family.contacts(child.child_id)
        say(f"  version {contact_list.version}, on the watch {contact_list.acked_version}")
        for place, contact in enumerate(contact_list.contacts, 1):
            rights = ", ".join(
                word for word, given in (("messages", contact.may_message), ("calls", contact.may_call)) if given
            )
            about = f"({contact.relation}) {contact.number or ''} {rights} {contact.state}"
            say(f"  {place}. {printable(contact.name)} {about}")

    async def _add(self, rest: str) -> None:
        relation, phone, name = words(rest, 3, "add RELATION NUMBER NAME")
        contact = await self._parent.family.add_contact((await self.child()).child_id, name, relation, phone)
        say(f"{printable(contact.name)}: {contact.state}")

    async def _approve(self, rest: str) -> None:
        child, contacts = await self._listed()
        await self._parent.family.approve_contact(child.child_id, contacts[number(rest, len(contacts)) - 1].contact_id)

    async def _order(self, rest: str) -> None:
        child, contacts = await self._listed()
        wanted = [contacts[number(word, len(contacts)) - 1].contact_id for word in rest.split()]
        await self._parent.family.order_contacts(child.child_id, wanted)
        await self._contacts("")

    async def _remove(self, rest: str) -> None:
        child, contacts = await self._listed()
        await self._parent.family.remove_contact(child.child_id, contacts[number(rest, len(contacts)) - 1].contact_id)

    # ---------------------------------------------------------------- guardians

    async def _invite(self, rest: str) -> None:
        phone, relation, *words_of_rights = [*rest.split(), "", ""][: max(2, len(rest.split()))]
        if not phone or not relation or not set(words_of_rights) <= set(_RIGHTS):
            raise CommandError("usage: invite PHONE RELATION [message] [locate] [manage]")
        rights = {name: word in words_of_rights for word, name in _RIGHTS.items()}
        await self._parent.family.invite((await self.family()).family_id, phone, relation, **rights)
        say("invited; the phone is told by SMS")

    async def _guardians(self, _rest: str) -> None:
        family = await self.family()
        for guardian in await self._parent.family.guardians(family.family_id):
            rights = " ".join(word for word, name in _RIGHTS.items() if getattr(guardian, name))
            number = guardian.phone or "number hidden"
            say(f"  {printable(guardian.display_name)} ({guardian.relation}) {number}: {rights}")
        if family.may_manage:
            for invitation in await self._parent.family.invitations(family.family_id):
                say(f"  invited: {invitation.phone} ({invitation.relation})")
