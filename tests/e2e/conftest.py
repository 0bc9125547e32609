"""Every process of the product on this machine, as `smartwatch up` runs them, and families with watch and phone."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.conversation.audio_assets.tables import AudioAsset, Rendition
from services.core.conversation.messages.tables import Message
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.devstack.installation import Installation
from tests.support.one_installation import running_installation
from tests.support.phone import running_browser
from tests.support.sounds import wav
from tests.support.world import Home, make_home

VOICE_HZ: Final = 180.0


@dataclass(frozen=True)
class Play:
    """A running machine, its database, and a folder for what watches and phones remember."""

    installation: Installation
    database: Database
    folder: Path

    async def home(self) -> Home:
        """Make a family with a child and a watch handed out; the broker hears of it as always."""
        home = await make_home(self.database)
        async with self.database.begin() as work:
            work.notify("broker_users")
        return home

    def blobs(self) -> BlobStore:
        """Return the store of the audio assets, a folder or a bucket."""
        settings = self.installation.settings
        return BlobStore.of(
            Settings.model_validate(
                {name: value for name, value in settings.items() if name == "blob_url" or name.startswith("s3_")}
            )
        )

    async def said_by_child(self, home: Home) -> dict[str, tuple[Message, AudioAsset | None, bytes | None]]:
        """Return what the child said by the watch's own id: each message, its clip, and the sound as it is kept."""
        blobs = self.blobs()
        async with self.database.begin() as work:
            rows = await work.session.exec(
                select(Message, AudioAsset)
                .outerjoin(AudioAsset, col(AudioAsset.clip_id) == col(Message.clip_id))
                .where(col(Message.child_id) == home.child_id, col(Message.direction) == "to_family")
            )
            # An outer join, which the types do not know.
            pairs: list[tuple[Message, AudioAsset | None]] = [(message, clip) for message, clip in rows]
            key = data_key(work, await work.session.get_one(Child, home.child_id))
        by_ref: dict[str, tuple[Message, AudioAsset | None, bytes | None]] = {}
        for message, clip in pairs:
            assert message.ref is not None
            sound = await blobs.read(clip.blob_id, key) if clip is not None and clip.blob_id is not None else None
            by_ref[message.ref] = (message, clip, sound)
        return by_ref

    async def given_to_watch(self, home: Home) -> dict[str, list[bytes]]:
        """Return each recording to the child by its name on the wire: what it was made into for watches."""
        blobs = self.blobs()
        async with self.database.begin() as work:
            rows = await work.session.exec(
                select(Message.ref, Rendition.blob_id)
                .join(Rendition, col(Rendition.clip_id) == col(Message.clip_id))
                .where(col(Message.child_id) == home.child_id, col(Message.direction) == "to_child")
            )
            refs = list(rows)
            key = data_key(work, await work.session.get_one(Child, home.child_id))
        given: dict[str, list[bytes]] = {}
        for ref, blob_id in refs:
            if blob_id is not None:
                given.setdefault(ref, []).append(await blobs.read(blob_id, key))
        return given

    @contextlib.asynccontextmanager
    async def watch(self, home: Home) -> AsyncIterator[SimWatch]:
        """Switch the family's watch on for the block; what it remembers stays for the next."""
        watch = SimWatch(
            self.folder / home.serial, "127.0.0.1", self.installation.ports["mosquitto_tls_port"],
            str(self.installation.tls_ca_file), serial=home.serial, secret=home.secret, timings=Timings.quick(),
        )  # fmt: skip
        async with watch:
            yield watch

    @contextlib.asynccontextmanager
    async def parent(self, phone: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[SimParent]:
        """Log a phone in for the block."""
        async with SimParent(self.installation.api_url, self.folder / phone, transport=transport) as parent:
            if not parent.is_logged_in:
                await parent.log_in_by_sms_file(phone, Path(self.installation.settings["sms_file"]))
            yield parent


@pytest.fixture
def installation() -> Installation:
    """Everything, the same for all files here and in tests/faults; tests/conftest.py stops it after the last."""
    return running_installation()


@pytest_asyncio.fixture(loop_scope="session")
async def play(installation: Installation) -> AsyncIterator[Play]:
    """The machine with a way into its database, for what a programme office would have done before."""
    installation.wait_ready()
    database = Database(installation.database_url, vault=Vault(installation.settings["master_key"]))
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-play-"))
    yield Play(installation, database, folder)
    await database.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """One browser for the run, whose microphone hears a voice; each phone is a context of its own."""
    voice = tmp_path_factory.mktemp("voice") / "voice.wav"
    voice.write_bytes(wav(20.0, pitch_hz=VOICE_HZ))
    async with running_browser(voice) as browser:
        yield browser


async def pair(watch: SimWatch, parent: SimParent, child_id: str) -> None:
    """Have the watch show a code, enter it, and wait until the watch is there as itself."""
    shown = await watch.pair()
    await parent.family.pair(child_id, shown.code)
    paired = await watch.wait_for("paired")
    await watch.wait_for("online", username=paired["username"])
