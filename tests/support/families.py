"""Families whose watch and phone speak without an end, each in a conversation that the checker compares afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.platform.db.database import Database
from services.device_sim.fleet.plan import Member
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Session
from services.device_sim.parent.store import ParentStore
from services.device_sim.sound import Clip, record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.records import FactoryIdentity
from services.device_sim.watch.store import WatchStore
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.devstack.fleet_stage import copy_families, first_of, log_parents_in
from services.protocol.pairing import Credentials, PairedWithCredentials
from services.protocol.words import Codec
from tests.e2e.conftest import Play
from tests.support.checker import Conversation
from tests.support.world import Home, make_home, wear

# Every so many messages of a side are spoken; families begin at different ones.
VOICE_EVERY: Final = 8
_CLIPS: Final = 6
# The waits of the field, which a crowd of watches needs: repeats of what is only late would make everything later.
_TIMINGS: Final = Timings(reconnect_first_s=0.5, reconnect_max_s=10.0, refused_ask_status_s=60.0)


@dataclass
class Voices:
    """Some recordings, shared by all families: a clip is encoded once."""

    clips: Sequence[Clip]

    @classmethod
    def made(cls) -> Voices:
        return cls([record_clip(speech(1.0 + number / 4, number), Codec.AMR_NB) for number in range(_CLIPS)])


@dataclass
class TalkingFamily:
    """One conversation, and the two tasks that keep it going until `stop` is set."""

    number: int
    talk: Conversation
    voices: Voices
    pause_s: float
    stop: asyncio.Event
    # Messages of the parent that the watch shows.
    shown: int = 0

    async def child_talks(self) -> None:
        """Have the child send text after text, and voice messages in between."""
        while not self.stop.is_set():
            count = len(self.talk.up)
            if self._is_spoken(count):
                await self.talk.child_speaks([self._clip(count)])
            else:
                await self.talk.child_writes([f"up {count}"])
            await self._rest()

    async def parent_talks(self) -> None:
        """Have the parent do the same."""
        while not self.stop.is_set():
            count = len(self.talk.down)
            if self._is_spoken(count):
                await self.talk.parent_speaks([self._clip(count)])
            else:
                await self.talk.parent_writes([f"down {count}"])
            # A parent waits for the answer; and what is confirmed has to come down through the broker.
            await self.talk.watch.wait_until(self._is_all_on_watch, timeout_s=self.talk.deadline_s)
            self.shown = len(self.talk.down)
            await self._rest()

    def _is_all_on_watch(self) -> bool:
        return len(self.talk.watch.inbox()) >= len(self.talk.down)

    def _is_spoken(self, count: int) -> bool:
        return (count + self.number) % VOICE_EVERY == 0

    def _clip(self, count: int) -> Clip:
        return self.voices.clips[(count + self.number) % len(self.voices.clips)]

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.5, 1.5) * self.pause_s):
                await self.stop.wait()


@dataclass
class TalkingFamilies:
    """All families of a drill."""

    families: Sequence[TalkingFamily]
    _running: list[asyncio.Task[None]]

    async def all_move(self, within_s: float) -> float:
        """Return after how many seconds each child has another message confirmed, and each parent another one shown.

        Raises TimeoutError after ``within_s``, and what any of them raised.
        """
        began_s = time.monotonic()
        before = [(len(family.talk.up), family.shown) for family in self.families]
        async with asyncio.timeout(within_s):
            for family, (up, shown) in zip(self.families, before, strict=True):
                while len(family.talk.up) <= up or family.shown <= shown:
                    self._raise_what_failed()
                    await asyncio.sleep(0.1)
        return time.monotonic() - began_s

    async def finish(self) -> None:
        """Let each side end its message, then stop."""
        for family in self.families:
            family.stop.set()
        await asyncio.gather(*self._running)

    def _raise_what_failed(self) -> None:
        for task in self._running:
            if task.done():
                task.result()


@contextlib.asynccontextmanager
async def talking_families(
    play: Play, count: int, *, apis: Sequence[str], watch_port: int, pause_s: float, deadline_s: float
) -> AsyncIterator[TalkingFamilies]:
    """Make so many paired families, connect watches and phones, and let all of them speak for the block.

    ``apis``: addresses that the phones share out; watches connect by TLS at ``watch_port``.
    """
    voices, stop = Voices.made(), asyncio.Event()
    async with contextlib.AsyncExitStack() as ending:
        families = []
        for number, (home, member) in enumerate(await _paired_homes(play.database, count)):
            watch = _watch(play, home, member, watch_port)
            _log_in(play, home, member)
            parent = await ending.enter_async_context(SimParent(apis[number % len(apis)], play.folder / home.phone))
            await ending.enter_async_context(watch)
            talk = Conversation(play, home, parent, watch, deadline_s=deadline_s, hears_all=False)
            families.append(TalkingFamily(number, talk, voices, pause_s, stop))
        running = [
            asyncio.create_task(talks) for family in families for talks in (family.child_talks(), family.parent_talks())
        ]
        try:
            yield TalkingFamilies(families, running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _paired_homes(database: Database, count: int) -> list[tuple[Home, Member]]:
    """Make so many families with a paired watch and a logged-in parent; all but the first are copies of its rows."""
    home = await make_home(database)
    worn = await wear(database, home)
    async with database.begin() as work:
        first = await first_of(work, worn.username, worn.password)
    members = await log_parents_in(database, await copy_families(database, first, count - 1), count)
    async with database.begin() as work:
        rows = await work.fetch(
            "SELECT child_id, family_id, guardian_id, phone, site_id, serial FROM pairing JOIN guardian"
            " USING (guardian_id) JOIN watch USING (watch_id) WHERE username = ANY($1::text[])",
            [member.username for member in members],
        )
    homes = {
        child_id: Home(family_id, guardian_id, phone, child_id, site_id, serial, home.secret)
        for child_id, family_id, guardian_id, phone, site_id, serial in rows
    }
    return [(homes[uuid.UUID(member.child_id)], member) for member in members]


def _watch(play: Play, home: Home, member: Member, port: int) -> SimWatch:
    """Return a watch that holds the credentials of its pairing already."""
    folder = play.folder / home.serial
    store = WatchStore(folder)
    store.set_factory_identity(FactoryIdentity(home.serial, home.secret))
    name = member.username
    credentials = Credentials(
        username=name, password=member.password, client_id=name, prefix=f"sw/v1/{name}", host="127.0.0.1", port=port
    )
    store.store_credentials(PairedWithCredentials(child_name="Mei", credentials=credentials))
    store.close()
    return SimWatch(folder, "127.0.0.1", port, str(play.installation.tls_ca_file), timings=_TIMINGS)


def _log_in(play: Play, home: Home, member: Member) -> None:
    """Put the session on the phone, as a log-in leaves it."""
    store = ParentStore(play.folder / home.phone)
    store.set_session(
        Session(
            access_token="used up", expires_in_s=0, refresh_token=member.refresh_token, refresh_expires_in_s=0,
            guardian_id=str(home.guardian_id), limited=False, device_token=None,
        )
    )  # fmt: skip
    store.close()
