"""Admission: which phone numbers can log in, and the rows that the first log-in of an enrolled number creates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from services.core.people.accounts import actions as accounts
from services.core.people.accounts.actions import OpenSession
from services.core.people.accounts.codes import (
    EnteredCode,
    SentCode,
    country_of_code,
    lock_phone,
    request_code,
    use_code,
)
from services.core.people.accounts.devices import find_device, present_device
from services.core.people.accounts.errors import LoginCodeEndedError, NewPhonesBlockedError
from services.core.people.accounts.phone_numbers import calling_code, mobile_phone
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.accounts.rules import new_phones_are_blocked, number_range
from services.core.people.accounts.tables import Guardian
from services.core.people.households.errors import HandOutClosedError
from services.core.people.households.hand_out_codes import country_of_hand_out, hand_out_is_open, take_code_of
from services.core.people.households.log_ins import tell_waiting
from services.core.people.households.queries import enrolments_of_phone, guardians_of, is_expected
from services.core.people.households.rules import PRIMARY_RIGHTS
from services.core.people.households.tables import Membership
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.locales import fitting_locale, region_of


@dataclass(frozen=True)
class Asker:
    """The client of a code request or log-in: language, network address, and device token if it has one.

    ``country`` (ISO 3166-1): selected in the app for a number without country code. ``label``: the device's own name.
    """

    locale: str | None
    address: str
    device_token: str | None = None
    hand_out_code: str | None = None
    country: str | None = None
    label: str = ""

    @property
    def region(self) -> str | None:
        """The country for a number without country code: the selected one, or the country of the language."""
        return self.country or region_of(fitting_locale(self.locale))


async def request_login_code(work: UnitOfWork, phone: str, asker: Asker) -> SentCode:
    """Send a one-time code to an enrolled, invited or known phone; any other gets the same response and no SMS.

    Known devices of the number have limits of their own. A request with a hand-out code uses that hand-out's budget,
    and only phones enrolled at its site are sent codes. Raises PhoneInvalidError, LoginCodeTooOftenError,
    RetryLaterError, HandOutClosedError.
    """
    spoken = fitting_locale(asker.locale)
    hall = None if asker.hand_out_code is None else await country_of_hand_out(work, asker.hand_out_code)
    number = mobile_phone(phone, hall or asker.region)
    device = await find_device(work, asker.device_token)
    guardian = await work.session.get(Guardian, device.guardian_id) if device is not None else None
    country = calling_code(number)
    if asker.hand_out_code is not None:
        if not await hand_out_is_open(work, asker.hand_out_code):
            # Charged as an attempt: invented hand-out codes must not use up the SMS budget of known phones.
            await charge(work, Charge(Limits.TRIES_OF_ADDRESS, asker.address))
            raise HandOutClosedError
        await charge(work, Charge(Limits.SMS_OF_COUNTRY_KNOWN, country))
        hand_out = await take_code_of(work, asker.hand_out_code)
        enrolled_at = {site.site_id for _, site in await enrolments_of_phone(work, number)}
        name = f"hand-out/{hand_out.hand_out_id}"
        return await request_code(work, number, spoken, asker=name, expected=hand_out.site_id in enrolled_at)
    if device is not None and device.trusted_at is not None and guardian is not None and guardian.phone == number:
        name = f"device/{device.device_id}"
        await charge(
            work,
            Charge(Limits.CODES_OF_DEVICE, str(device.device_id)),
            Charge(Limits.SMS_OF_COUNTRY_KNOWN, country),
        )
    else:
        name = f"address/{asker.address}"
        await charge(
            work,
            Charge(Limits.CODES_OF_ADDRESS, asker.address),
            Charge(Limits.CODES_OF_PHONE_AT_ADDRESS, f"{number}/{asker.address}"),
            Charge(Limits.CODES_OF_PHONE, number),
            Charge(Limits.CODES_OF_PREFIX, number_range(number)),
            Charge(Limits.SMS_OF_COUNTRY, country),
        )
    return await request_code(work, number, spoken, asker=name, expected=await is_expected(work, number))


async def log_in(work: UnitOfWork, entered: EnteredCode, asker: Asker) -> OpenSession:
    """Open a session for the holder of a phone; the first log-in creates the account and the primary membership.

    On an unknown device, or one unused for 60 days, the session is limited until the second step, because the number
    may have changed owners. Raises PhoneInvalidError, LoginCodeWrongError (the attempt is counted),
    LoginCodeEndedError, NewPhonesBlockedError, TextNotAllowedError.
    """
    # Parsed with the country of the code request, so that both requests read the number alike.
    number = mobile_phone(entered.phone, await country_of_code(work, entered.challenge_id) or asker.region)
    await lock_phone(work, number)
    await use_code(work, replace(entered, phone=number))
    # The enrolment or invitation can have ended since the code was sent.
    if not await is_expected(work, number):
        raise LoginCodeEndedError
    session = await admit(work, number, asker)
    if not session.limited:
        guardian = await work.session.get_one(Guardian, session.guardian_id)
        guardian.phone_confirmed_at = guardian.phone_confirmed_at or work.now
        work.add(guardian)
    return session


async def admit(work: UnitOfWork, number: str, asker: Asker) -> OpenSession:
    """Open a session for the verified ``number``; the caller holds its lock.

    Raises NewPhonesBlockedError, TextNotAllowedError.
    """
    enrolments = await enrolments_of_phone(work, number)
    guardian = await guardian_by_phone(work, number)
    if guardian is None:
        default = enrolments[0][1].locale if enrolments else fitting_locale(asker.locale)
        guardian = await accounts.create_guardian(work, number, fitting_locale(asker.locale, default))
    is_first = guardian.awaits_first_log_in
    guardian.awaits_first_log_in = False
    work.add(guardian)
    device = await present_device(work, guardian.guardian_id, asker.device_token, trust=is_first)
    if not device.is_known and new_phones_are_blocked(guardian.new_phones_blocked_until_at, work.now):
        raise NewPhonesBlockedError
    session = await accounts.open_session(
        work, guardian.guardian_id, device, asker.label, has_pin=guardian.pin_hash is not None
    )
    if session.limited:
        await tell_waiting(work, guardian.guardian_id, session.session_id)
    else:
        await join_enrolled(work, guardian)
    return session


async def join_enrolled(work: UnitOfWork, guardian: Guardian) -> None:
    """Make the guardian the primary one of each family that is enrolled with the phone and has no primary guardian.

    Only for an unlimited session: a new owner of a number must not join a family to the previous owner's account.
    """
    for enrolment, _ in await enrolments_of_phone(work, guardian.phone):
        await _join_as_primary(work, guardian, enrolment.family_id)


async def _join_as_primary(work: UnitOfWork, guardian: Guardian, family_id: uuid.UUID) -> None:
    standing = await guardians_of(work, family_id)
    if any(member.is_primary or member.guardian_id == guardian.guardian_id for member, _ in standing):
        return
    membership = Membership(
        family_id=family_id,
        guardian_id=guardian.guardian_id,
        relation="other",
        is_primary=True,
        may_message=PRIMARY_RIGHTS.may_message,
        may_locate=PRIMARY_RIGHTS.may_locate,
        may_manage=PRIMARY_RIGHTS.may_manage,
        joined_at=work.now,
    )
    work.add(membership)
    await work.flush()
    record_audit(
        work, guardian_actor(guardian.guardian_id), "guardian.joined", family_id=family_id,
        subject_id=guardian.guardian_id,
    )  # fmt: skip
    await record_event(work, family_id, "guardians.changed", ref_id=guardian.guardian_id)
