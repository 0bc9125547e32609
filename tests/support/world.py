"""A family with everything it needs, made through the product's own actions where there are any."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.core.devices.contacts.guardians import create_child, give_consent
from services.core.devices.presence.journeys import record_arrival
from services.core.devices.presence.rules import ArrivedBy
from services.core.devices.watches.queries import lock_standing_identities, watch_by_serial
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.actions import mark_installed, pair_watch
from services.core.pairing.codes import code_for_watch
from services.core.pairing.tables import Pairing
from services.core.people.accounts.actions import create_guardian
from services.core.people.consents.rules import Part, Proof, consent_texts
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_digits, new_ref, new_secret
from services.core.platform.db.database import Database, UnitOfWork

# Before anything a test has a watch say, a clock that stands at nothing included.
LONG_AGO: Final = datetime(1969, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Home:
    """A family of one guardian and one child, and a watch handed out to it."""

    family_id: uuid.UUID
    guardian_id: uuid.UUID
    phone: str
    child_id: uuid.UUID
    site_id: uuid.UUID
    serial: str
    secret: str


@dataclass(frozen=True)
class Worn:
    """The identity that pairing gave the watch."""

    pairing_id: uuid.UUID
    username: str
    password: str


async def make_site(work: UnitOfWork) -> tuple[Site, Cohort]:
    """Make a programme with a site in China and a cohort."""
    programme = Programme(name=new_ref(), created_at=work.now)
    work.add(programme)
    await work.flush()
    site = Site(
        programme_id=programme.programme_id, name="Site", country="CN", timezone="Asia/Shanghai", locale="en",
        created_at=work.now,
    )  # fmt: skip
    work.add(site)
    await work.flush()
    cohort = Cohort(site_id=site.site_id, name="Spring", created_at=work.now)
    work.add(cohort)
    await work.flush()
    return site, cohort


async def make_watch(work: UnitOfWork, site_id: uuid.UUID, family_id: uuid.UUID | None) -> tuple[Watch, str]:
    """Register a watch, handed out to a family if one is given; return it with its factory secret."""
    secret = new_secret()
    watch = Watch(
        serial=f"SIM{new_digits(12)}", model="sim-1", site_id=site_id,
        state="registered" if family_id is None else "handed_out", handed_out_to=family_id,
        factory_password_hash=mosquitto_hash(secret),
        registered_at=work.now,
    )  # fmt: skip
    work.add(watch)
    await work.flush()
    return watch, secret


async def make_home(database: Database) -> Home:
    """Make a family whose first guardian has consented, with a child and a watch handed out."""
    async with database.begin() as work:
        site, cohort = await make_site(work)
        family = Family(family_code=new_ref(), created_at=work.now)
        work.add(family)
        await work.flush()
        phone = f"+86138{new_digits(8)}"
        guardian = await create_guardian(work, phone, "en")
        membership = Membership(
            family_id=family.family_id, guardian_id=guardian.guardian_id, relation="mother", is_primary=True,
            may_message=True, may_manage=True, joined_at=work.now,
        )  # fmt: skip
        enrolment = Enrolment(
            family_id=family.family_id, site_id=site.site_id, cohort_id=cohort.cohort_id, guardian_phone=phone,
            enrolled_at=work.now,
        )  # fmt: skip
        work.add(membership, enrolment)
        await work.flush()
        text = consent_texts()[Part.MESSAGES, "en"]
        await give_consent(
            work, membership, part=Part.MESSAGES, text_version=text.text_version, locale="en", proof=Proof()
        )
        child = await create_child(work, family.family_id, guardian.guardian_id, "Mei", None)
        watch, secret = await make_watch(work, site.site_id, family.family_id)
        return Home(family.family_id, guardian.guardian_id, phone, child.child_id, site.site_id, watch.serial, secret)


async def arrive(database: Database, username: str) -> None:
    """End the state on its way as the tap of a guardian does: the watch is with the child."""
    async with database.begin() as work:
        identity = (await lock_standing_identities(work, [username]))[username]
        await record_arrival(work, identity, ArrivedBy.GUARDIAN)


async def wear(database: Database, home: Home, *, since: datetime | None = None) -> Worn:
    """Pair the family's watch with its child, as if the broker had taken the new user already; ``since``: long ago."""
    async with database.begin() as work:
        watch = await watch_by_serial(work, home.serial)
        assert watch is not None
        code = (await code_for_watch(work, watch)).code
        await work.flush()
        pairing: Pairing = await pair_watch(work, home.guardian_id, home.child_id, code)
        assert pairing.sealed_password is not None
        password = work.vault.unseal(pairing.sealed_password, f"pairing/{pairing.username}").decode()
        worn = Worn(pairing.pairing_id, pairing.username, password)
    async with database.begin() as work:
        await mark_installed(work, [worn.username])
        if since is not None:
            identity = await work.session.get_one(WatchIdentity, worn.username)
            identity.issued_at = since
            work.add(identity)
    return worn
