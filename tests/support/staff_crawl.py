"""A family full of canaries, every staff route asked with a body it takes, and whatever an answer says, readable."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import openpyxl
from sqlmodel import col, select

from services.api.staff.access import PERMISSIONS
from services.core.conversation.audio_assets.chunks_from_watch import UploadManifest, store_chunk
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.actions import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.voice_from_watch import VoiceUpload
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.location.checkins.sealing import Place as SealedPlace
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.geometry import Point
from services.core.measurement.exports.rendering import render_one_file
from services.core.office.break_glass.actions import approve_break_glass, request_break_glass
from services.core.office.surveys.actions import define_survey
from services.core.office.surveys.rules import Question
from services.core.office.surveys.tables import Survey
from services.core.people.accounts.tables import Staff
from services.core.people.accounts.totp import code_of, new_totp_secret, step_of
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.api_routes import Declared
from tests.support.dhis2 import ended_dhis2_import
from tests.support.http import Parent, Place, enrol_family, make_family, new_phone, pair
from tests.support.pdf import pages_of
from tests.support.places import circle, may_look, sent
from tests.support.sounds import encoded
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed
from tests.support.uplinks import receive_fixes, receive_voice
from tests.support.world import make_watch

MOTHERS_CLIP = encoded("amr-nb", 1.3)
CHILDS_CLIP = encoded("amr-nb", 1.7)
# A run of the sound itself: headers are alike in all recordings.
_RUN = slice(200, 232)
ZONE, SEEN_AT, SOS_AT = Point(23.027713, 113.753391), Point(23.031829, 113.761247), Point(23.036148, 113.769513)
FORM = "2026-0417"


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
        said = "\n".join([*map(str, answer.headers.items()), *texts_of(answer)])
        digits = re.sub(r"[\s()./-]", "", said)
        found = {what for what, word in self.words.items() if word in said or word in digits or word in said.lower()}
        for what, sound in self.sounds.items():
            run = sound[_RUN]
            # Three places in base64: it cuts bytes in threes.
            forms = [base64.b64encode(b"\0" * shift + run)[4:-4].decode() for shift in range(3)]
            if run in answer.content or any(form in said for form in (run.hex(), *forms)):
                found.add(what)
        return found


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
        said = VoiceUpload(ref, "family", UploadManifest(len(CHILDS_CLIP), 1, digest), digest, "amr-nb", None)
        answer = await receive_voice(self.database, self.transcoder.blobs, identity.username, said)
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
        said = {"scan": serial, "family_code": await self.enrolled()}
        await self.chief.told("POST", f"{self.site}/watch-hand-outs", json=said)
        return serial


Asked = dict[str, Any]
Prepare = Callable[[CrawlWorld, StaffMember], Awaitable[Asked]]


async def _recovery(world: CrawlWorld, _: StaffMember) -> Asked:
    parent = await world.family(f"who asks with {new_ref(6)}")
    new = world.canaries.plant_number(f"the new number of {parent.family_id}", new_phone())
    asked = {"kind": "phone", "phone": parent.phone, "new_phone": new, "form_number": FORM, "document": "passport"}
    return {"family_code": await family_code_of(parent), "json": asked}


async def _standing_recovery(world: CrawlWorld, member: StaffMember) -> Asked:
    asked = await _recovery(world, member)
    path = f"{world.site}/families/{asked['family_code']}/recoveries"
    told = await world.chief.told("POST", path, json=asked["json"])
    return {"recovery_id": told["recovery_id"], "json": {"form_number": FORM, "document": "passport"}}


async def _contest(world: CrawlWorld, _: StaffMember) -> Asked:
    mother = await world.family(f"who contests with {new_ref(6)}")
    name = world.canaries.plant(f"whom they contest {new_ref(6)}", f"canary-uncle-{new_ref(6)}")
    uncle = await mother.invite(display_name=name, may_manage=True)
    world.canaries.plant_number(f"the number of {name}", uncle.phone)
    said = {"guardian_id": uncle.guardian_id, "right": "manage"}
    contest = await mother.told("POST", f"{mother.family}/contests", json=said)
    return {"contest_id": contest["contest_id"]}


async def _standing_decision(world: CrawlWorld, member: StaffMember) -> Asked:
    asked = await _contest(world, member)
    path = f"{world.site}/contests/{asked['contest_id']}/decision"
    body = STAFF_BODIES["POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision"]
    await world.chief.told("POST", path, json=body)
    return asked


async def _hand_out(world: CrawlWorld, _: StaffMember) -> Asked:
    told = await world.chief.told("POST", f"{world.site}/hand-outs", json={"families": 5, "minutes": 60})
    return {"hand_out_id": told["hand_out_id"], "json": {"family_codes": [world.code]}}


async def _break_glass(world: CrawlWorld, by: StaffMember, *, approved: bool) -> Asked:
    async with world.database.begin() as work:
        asked = await request_break_glass(
            work, by.staff.staff_id, world.place.site, family_code=world.code, reason="The child is missing.",
            tell_after_days=0,
        )  # fmt: skip
        await work.flush()
        if approved:
            await approve_break_glass(work, world.second.staff.staff_id, world.place.site, asked.break_glass_id)
        return {"break_glass_id": str(asked.break_glass_id)}


async def _break_glass_of_another(world: CrawlWorld, _: StaffMember) -> Asked:
    return await _break_glass(world, world.chief, approved=False)


async def _own_break_glass(world: CrawlWorld, member: StaffMember) -> Asked:
    return await _break_glass(world, member, approved=True)


async def _help(world: CrawlWorld, _: StaffMember) -> Asked:
    parent = await world.family(f"who calls with {new_ref(6)}")
    told = await parent.told("POST", f"{parent.child}/help", json={"kind": "lost"})
    return {"help_id": told["help_id"]}


async def _new_export(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"kind": "csv", "audience": "factory", "site_id": str(world.place.site.site_id)}}


async def _export(world: CrawlWorld, member: StaffMember) -> Asked:
    """Have a file of the member's own made by the worker."""
    said = (await _new_export(world, member))["json"]
    # Earlier exports are removed, so that there is room.
    await render_one_file(world.database)
    asked = await member.told("POST", "/v1/staff/exports", json=said)
    assert await render_one_file(world.database)
    return {"usage_export_id": asked["usage_export_id"]}


async def _dhis2_import(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"import_id": await ended_dhis2_import(world.database, world.place)}


async def _spare_family(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"family_code": await world.enrolled(), "reason": "other"}}


async def _hand_out_by_scan(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"scan": await world.watch(), "family_code": await world.enrolled()}}


async def _replacement(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"scan": await world.shelf(), "state": "broken", "replacement": await world.watch()}}


async def _family_list(world: CrawlWorld, _: StaffMember) -> Asked:
    phone = world.canaries.plant_number(f"a number of a list {new_ref(6)}", new_phone())
    line = {"family_code": f"L-{new_ref(6).upper()}", "phone": phone, "cohort": world.place.cohort.name}
    wrong = {**line, "family_code": f"L-{new_ref(6).upper()}", "phone": "123"}
    return {"json": {"families": [line, wrong]}}


async def _colleague(world: CrawlWorld, _: StaffMember) -> Asked:
    other = await make_staff(world.client, world.database, world.place, "coordinator")
    return {"staff_id": other.staff_id}


async def _new_colleague(world: CrawlWorld, _: StaffMember) -> Asked:
    body = {"email": f"{new_ref()}@wecare.example", "display_name": "Lan", "role": "staff", "phone": new_phone()}
    return {"json": {**body, "employed_by_factory": False, "site_id": str(world.place.site.site_id)}}


async def _account_request(world: CrawlWorld, member: StaffMember) -> Asked:
    body = (await _new_colleague(world, member))["json"]
    asked = await world.chief.told("POST", "/v1/staff/accounts", json=body)
    return {"request_id": asked["request_id"]}


async def _own_password(world: CrawlWorld, member: StaffMember) -> Asked:
    """Give the member a password and an app; their code is the one of now."""
    secret = new_totp_secret()
    async with world.database.begin() as work:
        staff = await work.session.get_one(Staff, member.staff.staff_id)
        staff.password_hash = await hash_password("the old password")
        staff.sealed_totp = work.vault.seal(secret, f"totp/{staff.staff_id}")
        staff.totp_confirmed_at = work.now
        work.add(staff)
        code = code_of(secret, step_of(work.now))
    return {"json": {"password": "the old password", "code": code, "new_password": "river-window-copper-5-maps"}}


async def _own_session(world: CrawlWorld, member: StaffMember) -> Asked:
    # Another of the same person's: the one that asks goes on.
    other = await renewed(member, world.database)
    (its_own,) = [
        session for session in (await other.told("GET", "/v1/staff/me/sessions"))["sessions"] if session["current"]
    ]
    return {"staff_session_id": its_own["staff_session_id"], "as": other}


async def _withdrawn(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"scan": await world.watch(), "state": "lost"}}


async def _unpaired(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"scan": await world.watch()}}


async def _trace(world: CrawlWorld, member: StaffMember) -> Asked:
    opened = await member.told(
        "POST", f"/v1/staff/sites/{world.place.site.site_id}/watch-traces", json={"scan": await world.watch()}
    )
    return {"trace_id": opened["trace_id"]}


async def _attended(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"family_code": world.code, "training": "watch", "attended_on": "2026-02-01"}}


async def _in_touch(world: CrawlWorld, _: StaffMember) -> Asked:
    return {"json": {"family_code": world.code}}


_OF_SITE = "/v1/staff/sites/{site_id}"
# Preconditions of routes. Routes that are not listed are called with the body of all tests.
PREPARED: dict[str, Prepare] = {
    "POST /v1/staff/auth/logout": _own_session,
    "DELETE /v1/staff/me/sessions/{staff_session_id}": _own_session,
    "POST /v1/staff/accounts": _new_colleague,
    "POST /v1/staff/accounts/{staff_id}/reset": _colleague,
    "POST /v1/staff/accounts/{staff_id}/role": _colleague,
    "POST /v1/staff/account-requests/{request_id}/approve": _account_request,
    "POST /v1/staff/account-requests/{request_id}/withdraw": _account_request,
    "POST /v1/staff/me/password": _own_password,
    "POST /v1/staff/accounts/{staff_id}/end": _colleague,
    f"POST {_OF_SITE}/families/{{family_code}}/recoveries": _recovery,
    f"POST {_OF_SITE}/recoveries/{{recovery_id}}/approve": _standing_recovery,
    f"POST {_OF_SITE}/recoveries/{{recovery_id}}/withdraw": _standing_recovery,
    f"GET {_OF_SITE}/contests": _contest,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision": _contest,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision/approve": _standing_decision,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision/withdraw": _standing_decision,
    f"POST {_OF_SITE}/hand-outs/{{hand_out_id}}/close": _hand_out,
    f"POST {_OF_SITE}/hand-outs/{{hand_out_id}}/slips": _hand_out,
    f"POST {_OF_SITE}/break-glass/{{break_glass_id}}/approve": _break_glass_of_another,
    f"GET {_OF_SITE}/break-glass/{{break_glass_id}}/guardian": _own_break_glass,
    f"POST {_OF_SITE}/watch-hand-outs": _hand_out_by_scan,
    f"POST {_OF_SITE}/watch-withdrawals": _withdrawn,
    f"POST {_OF_SITE}/watch-traces": _unpaired,
    f"GET {_OF_SITE}/watch-traces/{{trace_id}}": _trace,
    f"POST {_OF_SITE}/watch-replacements": _replacement,
    f"POST {_OF_SITE}/family-lists": _family_list,
    f"POST {_OF_SITE}/trainings": _attended,
    f"POST {_OF_SITE}/enrolments/end": _spare_family,
    f"POST {_OF_SITE}/contact-requests": _in_touch,
    f"POST {_OF_SITE}/help/{{help_id}}/done": _help,
    "POST /v1/staff/exports": _new_export,
    "GET /v1/staff/exports/{usage_export_id}": _export,
    "GET /v1/staff/exports/{usage_export_id}/file": _export,
    "GET /v1/staff/dhis2-imports": _dhis2_import,
    "GET /v1/staff/dhis2-imports/{import_id}": _dhis2_import,
}


async def ask_prepared(world: CrawlWorld, member: StaffMember, route: Declared) -> httpx.Response:
    """Ask a route as this member, with everything there that it needs, if the member may do it at all."""
    prepare = PREPARED.get(str(route))
    permission = route.rule.partition(", may ")[2]
    may = not permission or permission in PERMISSIONS[member.staff.role]
    asked: Asked = {} if prepare is None or not may else await prepare(world, member)
    ids = {name: str(uuid.uuid4()) for name in re.findall(r"{(\w+)}", route.path)} | {
        "site_id": str(world.place.site.site_id), "programme_id": str(world.place.site.programme_id),
        "cohort_id": str(world.place.cohort.cohort_id), "family_code": world.code, "survey_id": world.survey_id,
        **{name: one for name, one in asked.items() if isinstance(one, str)},
    }  # fmt: skip
    body = asked.get("json", STAFF_BODIES.get(str(route)))
    caller: StaffMember = asked.get("as", member)
    return await caller.ask(route.method, route.path.format(**ids), json=body)
