"""A site with a family full of canaries, and the canaries that an answer contains."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import openpyxl
from sqlmodel import col, select

from services.core.conversation.audio_assets.chunks_from_watch import UploadManifest
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.voice_from_watch import VoiceUpload
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.location.checkins.sealing import Place as SealedPlace
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.geometry import Point
from services.core.office.surveys.actions import define_survey
from services.core.office.surveys.rules import Question
from services.core.office.surveys.tables import Survey
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.http import Parent, Place, enrol_family, make_family, new_phone, pair
from tests.support.pdf import pages_of
from tests.support.places import circle, may_look, sent
from tests.support.sounds import encoded
from tests.support.staff_http import StaffMember, family_code_of
from tests.support.uplinks import receive_fixes, receive_voice, store_chunk
from tests.support.world import make_watch

MOTHERS_CLIP = encoded("amr-nb", 1.3)
CHILDS_CLIP = encoded("amr-nb", 1.7)
# A run of the sound itself: headers are alike in all recordings.
_RUN = slice(200, 232)
ZONE, SEEN_AT, SOS_AT = Point(23.027713, 113.753391), Point(23.031829, 113.761247), Point(23.036148, 113.769513)


@dataclass
class Canaries:
    """Canaries by their kind, including the phones of every family of this world."""

    words: dict[str, str] = field(default_factory=dict)
    sounds: dict[str, bytes] = field(default_factory=dict)

    def plant(self, what: str, word: str) -> str:
        """Note a word and return it."""
        self.words[what] = word
        return word

    def plant_number(self, what: str, number: str) -> str:
        """Note a phone number by the digits that every way of writing it has."""
        self.words[what] = re.sub(r"\D", "", number)[-10:]
        return number

    def plant_point(self, what: str, point: Point) -> Point:
        """Note a place: nobody may be told it even to ten metres."""
        self.words |= {f"{what}, latitude": f"{point.lat:.4f}"[:-1], f"{what}, longitude": f"{point.lon:.4f}"[:-1]}
        return point

    def found_in(self, answer: httpx.Response) -> set[str]:
        """Return which of them stand anywhere in an answer, its headers included."""
        text = "\n".join([*map(str, answer.headers.items()), *texts_of(answer)])
        digits = re.sub(r"[\s()./-]", "", text)
        planted = {what for what, word in self.words.items() if word in text or word in digits or word in text.lower()}
        for what, sound in self.sounds.items():
            run = sound[_RUN]
            # Three places in base64: it cuts bytes in threes.
            forms = [base64.b64encode(b"\0" * shift + run)[4:-4].decode() for shift in range(3)]
            if run in answer.content or any(form in text for form in (run.hex(), *forms)):
                planted.add(what)
        return planted


def texts_of(answer: httpx.Response) -> Iterator[str]:
    """Yield everything that an answer says to who opens it: JSON, HTML, CSV, cells of a workbook, text of a PDF."""
    content, media = answer.content, answer.headers.get("content-type", "").partition(";")[0]
    if not content:
        return
    # As it came, whatever it is.
    yield content.decode("latin-1")
    if media.endswith("json"):
        yield json.dumps(answer.json(), ensure_ascii=False)
    elif media == "application/pdf":
        yield from pages_of(content)
    elif media.endswith("spreadsheetml.sheet"):
        book = openpyxl.load_workbook(io.BytesIO(content))
        for sheet in book:
            yield sheet.title
            for row in sheet.iter_rows():
                yield from (str(cell.value) for cell in row if cell.value is not None)
                yield from (cell.comment.text for cell in row if cell.comment is not None)
    else:
        yield content.decode("utf-8", errors="replace")


@dataclass
class CrawlWorld:
    """A site with such a family, and colleagues who prepare what the one who asks needs."""

    client: httpx.AsyncClient
    database: Database
    transcoder: Transcoder
    place: Place
    chief: StaffMember
    second: StaffMember
    canaries: Canaries = field(default_factory=Canaries)
    serial: str = ""
    code: str = ""
    survey_id: str = ""

    @property
    def site(self) -> str:
        """The address of the site."""
        return f"/v1/staff/sites/{self.place.site.site_id}"

    async def plant(self) -> CrawlWorld:
        """Make the family that has everything."""
        plant = self.canaries.plant
        mother = await self.family("the mother")
        self.code = await family_code_of(mother)
        identity = await pair(mother, self.place)
        born = plant("the birth date", "2015-09-17")
        await mother.told(
            "PATCH", mother.child, json={"name": self.canaries.words["the mother's child"], "birth_date": born}
        )
        aunt = await mother.invite(display_name=plant("the aunt's name", "canary-aunt-7"))
        self.canaries.plant_number("the aunt's phone", aunt.phone)
        await mother.send(plant("words to the child", "canary-words-down-7"))
        await mother.speak(MOTHERS_CLIP)
        await may_look(mother)
        await mother.consent("sos_places")
        zone = {
            "name": plant("the zone's name", "canary-school-7"),
            "shape": circle(self.canaries.plant_point("the zone", ZONE)),
        }
        await mother.told("POST", f"{mother.child}/zones", json=zone)
        await mother.told("POST", f"{mother.child}/help", json={"kind": "worried"})
        await self._child_speaks(mother, identity)
        self.canaries.sounds = {"what the mother said": MOTHERS_CLIP, "what the child said": CHILDS_CLIP}
        await self._survey()
        # Without one, coordinators see no family code.
        await self.chief.told("POST", f"{self.site}/hand-outs", json={"families": 5, "minutes": 120})
        return self

    async def family(self, what: str) -> Parent:
        """Make a family whose names and numbers are canaries."""
        parent = await make_family(self.client, self.database, self.place)
        number = len(self.canaries.words)
        name = self.canaries.plant(f"{what}'s name", f"canary-guardian-{number}")
        await parent.told("PATCH", "/v1/me", json={"display_name": name})
        name = self.canaries.plant(f"{what}'s child", f"canary-child-{number}")
        await parent.told("PATCH", parent.child, json={"name": name})
        self.canaries.plant_number(f"{what}'s phone", parent.phone)
        contact = await parent.add_contact(name=self.canaries.plant(f"{what}'s contact", f"canary-teacher-{number}"))
        self.canaries.plant_number(f"the number of {what}'s contact", contact["number"])
        self.canaries.plant(f"the id of {what}'s child", parent.child_id)
        self.canaries.plant(f"the id of {what}", parent.guardian_id)
        return parent

    async def _child_speaks(self, mother: Parent, identity: WatchIdentity) -> None:
        """Have the watch send a place, an SOS with its place, words and a recording; give it a SIM card."""
        point = self.canaries.plant_point
        ref, digest = new_ref(), hashlib.sha256(CHILDS_CLIP).hexdigest()
        async with self.database.begin() as work:
            watch = await work.session.get_one(Watch, identity.watch_id)
            self.serial, watch.sim_number = (
                watch.serial,
                self.canaries.plant_number("the SIM's number", "+8613999990007"),
            )
            work.add(watch)
            standing = await standing_identity(work, identity.username)
            assert standing is not None
            words = text_body(self.canaries.plant("words of the child", "canary-words-up-7"))
            await receive_from_child(work, standing, WatchMessage(new_ref(), "family", words, new_ref(), work.now))
            await receive_fixes(work, [sent(identity.username, work.now, point("where the child was", SEEN_AT))])
            child_id, family_id = uuid.UUID(mother.child_id), uuid.UUID(str(mother.family_id))
            alert = await raise_alert(work, NewAlert(child_id, family_id, "sos"))
            called = SealedPlace(point("where the child called", SOS_AT), None)
            await store_sos_place(work, alert, SosPosition(called, 9.0, "gps", work.now))
            await store_chunk(work, standing, ref, 0, CHILDS_CLIP)
        upload = VoiceUpload(ref, "family", UploadManifest(len(CHILDS_CLIP), 1, digest), digest, "amr-nb", None)
        answer = await receive_voice(self.database, self.transcoder.blobs, identity.username, upload)
        assert getattr(answer, "code", "") == "stored"
        # They are there for who may see them: else nothing would be proved by their absence.
        page = json.dumps((await mother.told("GET", f"{mother.child}/messages"))["messages"])
        assert (page.count("canary-words"), page.count('"kind": "voice"')) == (2, 2), page
        seen = json.dumps([await mother.told("GET", f"{mother.child}/{leaf}") for leaf in ("checkins/latest", "zones")])
        assert str(SEEN_AT.lat) in seen
        assert str(ZONE.lon) in seen

    async def _survey(self) -> None:
        async with self.database.begin() as work:
            programme = await work.session.get_one(Programme, self.place.site.programme_id)
            await define_survey(work, OPERATOR, programme, "2026", [Question("talks", "number", "How often?")])
        async with self.database.begin() as work:
            self.survey_id = str((await work.session.exec(select(Survey.survey_id).order_by(col(Survey.name)))).one())

    async def watch(self) -> str:
        """Register a watch of the site; return its serial."""
        async with self.database.begin() as work:
            return (await make_watch(work, self.place.site.site_id, None))[0].serial

    async def enrolled(self) -> str:
        """Enrol a family that has not logged in yet; return its code."""
        phone = self.canaries.plant_number(f"the phone of somebody enrolled, {new_ref(6)}", new_phone())
        return await family_code_of(
            Parent(self.client, self.database, phone, await enrol_family(self.database, phone, self.place))
        )

    async def shelf(self) -> str:
        """Hand a watch out to a family; return its serial."""
        serial = await self.watch()
        body = {"scan": serial, "family_code": await self.enrolled()}
        await self.chief.told("POST", f"{self.site}/watch-hand-outs", json=body)
        return serial
