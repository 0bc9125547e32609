"""Access rules of guardians: every route declares one, and a test fails for a route without a rule.

Resources of another family answer exactly as unknown ones. Rights are read from the database at each request.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.dependencies import Tokens, Work
from services.api.refusals import note_caller
from services.core.people.accounts.errors import AccessTokenInvalidError, SecondStepNeededError, SessionEndedError
from services.core.people.accounts.step_up import check_step_up
from services.core.people.accounts.tables import Guardian
from services.core.people.accounts.tokens import AccessTokens
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.rules import Part
from services.core.people.households.access import GuardianAccess, access_of
from services.core.people.households.errors import NotFoundError, RightMissingError
from services.core.people.households.queries import rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Membership
from services.core.platform.audit.actions import guardian_actor
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.privacy.copies.actions import read_link
from services.core.privacy.errors import PrimaryOnlyError
from services.core.privacy.tables import Export

_BEARER = HTTPBearer(auto_error=False, description="The access token of POST /v1/auth/tokens")


@dataclass(frozen=True)
class Caller:
    """The authenticated guardian of a request."""

    guardian: Guardian
    session_id: uuid.UUID
    # Logged in with a one-time code from a new device: no access to any family before the second step.
    limited: bool = False
    stepped_up_at: datetime | None = None
    # In the family that the path names by itself or by a child; read with the session in one statement.
    access: GuardianAccess | None = None

    @property
    def guardian_id(self) -> uuid.UUID:
        """The guardian's id."""
        return self.guardian.guardian_id


@dataclass(frozen=True)
class FamilyScope:
    """A family, and the caller's membership in it."""

    caller: Caller
    family_id: uuid.UUID
    membership: Membership


@dataclass(frozen=True)
class ChildScope(FamilyScope):
    """A child of a family, and the caller's membership in that family."""

    child: Child


_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def read_any_caller(request: Request, work: Work, bearer: _Bearer) -> Caller:
    """Authenticate a token; raises AccessTokenInvalidError, SessionEndedError, RetryLaterError."""
    if bearer is None:
        raise AccessTokenInvalidError
    tokens: AccessTokens = request.app.state.tokens
    claims = tokens.read(bearer.credentials, work.now)
    note_caller(request, guardian_actor(claims.guardian_id))
    await charge(work, Charge(Limits.REQUESTS_OF_GUARDIAN, str(claims.guardian_id)))
    access = await access_of(
        work, claims.session_id, claims.guardian_id, child_id=_id_in_path(request, "child_id"),
        family_id=_id_in_path(request, "family_id"),
    )  # fmt: skip
    if access is None:
        raise SessionEndedError
    session = access.session
    return Caller(
        access.guardian, session.session_id, limited=session.limited, stepped_up_at=session.stepped_up_at, access=access
    )


def _id_in_path(request: Request, name: str) -> uuid.UUID | None:
    """Return an id of the path, or None: what is no id is refused by the route's rule."""
    try:
        return uuid.UUID(request.path_params.get(name, ""))
    except ValueError:
        return None


async def read_caller(request: Request, work: Work, bearer: _Bearer) -> Caller:
    """Authenticate a token; raises SecondStepNeededError for a session that still lacks its second step.

    A call, not a dependency of a dependency: FastAPI solves each of a chain anew at every request.
    """
    caller = await read_any_caller(request, work, bearer)
    if caller.limited:
        raise SecondStepNeededError
    return caller


AnyCaller = Annotated[Caller, Depends(read_caller)]


class _StepUp:
    """The last part of a rule: a PIN or a fresh code within 5 minutes, for what cannot be undone."""

    def __init__(self, *, is_needed: bool) -> None:
        self._is_needed = is_needed
        self.rule_suffix = ", step-up" if is_needed else ""

    def check(self, work: UnitOfWork, caller: Caller) -> None:
        """Raise StepUpRequiredError for a session without a recent proof."""
        if self._is_needed:
            check_step_up(caller.guardian, caller.stepped_up_at, work.now)


class LoggedIn:
    """A guardian with a live session, of any family or none."""

    def __init__(self, *, step_up: bool = False) -> None:
        self._step_up = _StepUp(is_needed=step_up)
        self.access_rule = f"logged in{self._step_up.rule_suffix}"

    async def __call__(self, work: Work, caller: AnyCaller) -> Caller:
        """Return the caller; raises StepUpRequiredError."""
        self._step_up.check(work, caller)
        return caller


class LoggedInByCode:
    """A guardian with a live session, also before its second step."""

    access_rule: ClassVar[str] = "logged in, before the second step too"

    async def __call__(self, caller: Annotated[Caller, Depends(read_any_caller)]) -> Caller:
        """Return the caller."""
        return caller


class InFamily:
    """A guardian of the path's family, with or without a certain right, after or before consent."""

    def __init__(self, right: Right | None = None, *, before_consent: bool = False, step_up: bool = False) -> None:
        self.right = right
        self.before_consent = before_consent
        self._step_up = _StepUp(is_needed=step_up)
        when = ", before consent too" if before_consent else ""
        self.access_rule = f"in family, {right.value if right else 'any'} right{when}{self._step_up.rule_suffix}"

    async def __call__(self, work: Work, caller: AnyCaller, family_id: Annotated[uuid.UUID, Path()]) -> FamilyScope:
        """Return the scope; raises NotFoundError, ConsentRequiredError, RightMissingError, StepUpRequiredError."""
        membership = _membership(_access_to_family(caller, family_id), self.right, before_consent=self.before_consent)
        self._step_up.check(work, caller)
        return FamilyScope(caller, family_id, membership)


class OfChild:
    """A guardian of the family of the path's child, with or without a certain right and a further consent."""

    def __init__(self, right: Right | None = None, *, part: Part | None = None, step_up: bool = False) -> None:
        self.right = right
        self.part = part
        self._step_up = _StepUp(is_needed=step_up)
        agreed = f", consent to {part.value}" if part else ""
        self.access_rule = f"of child, {right.value if right else 'any'} right{agreed}{self._step_up.rule_suffix}"

    async def __call__(self, work: Work, caller: AnyCaller, child_id: Annotated[uuid.UUID, Path()]) -> ChildScope:
        """Return the scope; raises NotFoundError, ConsentRequiredError, RightMissingError, StepUpRequiredError."""
        access, child = _access_to_child(caller, child_id)
        membership = _membership(access, self.right, before_consent=False)
        if self.part is not None and self.part not in access.parts:
            raise ConsentRequiredError(self.part)
        self._step_up.check(work, caller)
        return ChildScope(caller, child.family_id, membership, child)


class PrimaryInFamily:
    """The first guardian of the path's family, also without consent: withdrawing must stay possible."""

    def __init__(self, *, step_up: bool = False) -> None:
        self._step_up = _StepUp(is_needed=step_up)
        self.access_rule = f"in family, first guardian, before consent too{self._step_up.rule_suffix}"

    async def __call__(self, work: Work, caller: AnyCaller, family_id: Annotated[uuid.UUID, Path()]) -> FamilyScope:
        """Return the scope; raises NotFoundError, PrimaryOnlyError, StepUpRequiredError."""
        membership = _membership(_access_to_family(caller, family_id), None, before_consent=True)
        _refuse_others(membership)
        self._step_up.check(work, caller)
        return FamilyScope(caller, family_id, membership)


class PrimaryOfChild:
    """The first guardian of the family of the path's child, also without consent."""

    def __init__(self, *, step_up: bool = False) -> None:
        self._step_up = _StepUp(is_needed=step_up)
        self.access_rule = f"of child, first guardian, before consent too{self._step_up.rule_suffix}"

    async def __call__(self, work: Work, caller: AnyCaller, child_id: Annotated[uuid.UUID, Path()]) -> ChildScope:
        """Return the scope; raises NotFoundError, PrimaryOnlyError, StepUpRequiredError."""
        access, child = _access_to_child(caller, child_id)
        membership = _membership(access, None, before_consent=True)
        _refuse_others(membership)
        self._step_up.check(work, caller)
        return ChildScope(caller, child.family_id, membership, child)


def _refuse_others(membership: Membership) -> None:
    if not membership.is_primary:
        raise PrimaryOnlyError


@dataclass(frozen=True)
class LinkScope(ChildScope):
    """The recording of a signed link, and the guardian it was issued to."""

    message_id: uuid.UUID


class OfLink:
    """The holder of a link that a guardian requested minutes ago, while that guardian may still hear the recording."""

    access_rule: ClassVar[str] = "signed link, message right"

    async def __call__(
        self, request: Request, work: Work, tokens: Tokens, token: Annotated[str, Path(max_length=2000)]
    ) -> LinkScope:
        """Return the scope; raises AccessTokenInvalidError, SessionEndedError, and what OfChild raises."""
        claims = tokens.read_link(token, work.now)
        note_caller(request, guardian_actor(claims.guardian_id), child_id=claims.child_id)
        caller = await _holder(work, claims.session_id, claims.guardian_id, child_id=claims.child_id)
        access, child = _access_to_child(caller, claims.child_id)
        membership = _membership(access, Right.MESSAGE, before_consent=False)
        return LinkScope(caller, child.family_id, membership, child, claims.message_id)


@dataclass(frozen=True)
class ExportScope(FamilyScope):
    """The export of a signed link, and the guardian who requested it."""

    export: Export


class OfExportLink:
    """The holder of a link to an export, while its session is live and the guardian is in the family."""

    access_rule: ClassVar[str] = "signed link, in family"

    async def __call__(self, request: Request, work: Work, token: Annotated[str, Path(max_length=2000)]) -> ExportScope:
        """Return the scope; raises AccessTokenInvalidError, SessionEndedError, NotFoundError."""
        claims = read_link(work.vault, token, work.now)
        note_caller(request, guardian_actor(claims.guardian_id))
        export = await work.session.get(Export, claims.export_id)
        family_id = None if export is None else export.family_id
        caller = await _holder(work, claims.session_id, claims.guardian_id, family_id=family_id)
        if export is None or export.guardian_id != caller.guardian_id:
            raise NotFoundError
        note_caller(request, guardian_actor(claims.guardian_id), family_id=export.family_id)
        membership = _membership(_access_to_family(caller, export.family_id), None, before_consent=True)
        return ExportScope(caller, export.family_id, membership, export)


async def require_message_right(work: UnitOfWork, scope: ChildScope) -> None:
    """Decide again, in a later transaction of the same request, whether the caller may message the child.

    Raises SessionEndedError, and what ``OfChild`` raises.
    """
    caller, child_id = scope.caller, scope.child.child_id
    access = await access_of(work, caller.session_id, caller.guardian_id, child_id=child_id)
    if access is None or access.session.limited:
        raise SessionEndedError
    access, _ = _access_to_child(replace(caller, access=access), child_id)
    _membership(access, Right.MESSAGE, before_consent=False)


async def _holder(
    work: UnitOfWork,
    session_id: uuid.UUID,
    guardian_id: uuid.UUID,
    *,
    child_id: uuid.UUID | None = None,
    family_id: uuid.UUID | None = None,
) -> Caller:
    """Return the guardian of a link's live session; raises SessionEndedError, RetryLaterError."""
    access = await access_of(work, session_id, guardian_id, child_id=child_id, family_id=family_id)
    if access is None or access.session.limited:
        raise SessionEndedError
    # A link is charged like a request: rendering or reading the file is work like any other.
    await charge(work, Charge(Limits.REQUESTS_OF_GUARDIAN, str(guardian_id)))
    return Caller(access.guardian, session_id, access=access)


def _access_to_family(caller: Caller, family_id: uuid.UUID) -> GuardianAccess:
    """Return the caller's access in the path's family; raises NotFoundError for a stranger to it."""
    access = caller.access
    if access is None or access.membership is None or access.membership.family_id != family_id:
        raise NotFoundError
    return access


def _access_to_child(caller: Caller, child_id: uuid.UUID) -> tuple[GuardianAccess, Child]:
    """Return the caller's access in the family of the path's child; raises NotFoundError for a stranger to it."""
    access = caller.access
    child = None if access is None else access.child
    if access is None or child is None or child.child_id != child_id:
        raise NotFoundError
    return _access_to_family(caller, child.family_id), child


def _membership(access: GuardianAccess, right: Right | None, *, before_consent: bool) -> Membership:
    """Return the membership; raises NotFoundError, ConsentRequiredError, RightMissingError."""
    membership = access.membership
    if membership is None:
        raise NotFoundError
    if not before_consent and Part.MESSAGES not in access.parts:
        raise ConsentRequiredError(Part.MESSAGES)
    if right is not None and not rights_of(membership).has(right):
        raise RightMissingError(right.value)
    return membership


IsLoggedIn = Annotated[Caller, Depends(LoggedIn())]
IsProven = Annotated[Caller, Depends(LoggedIn(step_up=True))]
BeforeSecondStep = Annotated[Caller, Depends(LoggedInByCode())]
BeforeConsent = Annotated[FamilyScope, Depends(InFamily(before_consent=True))]
AnyGuardian = Annotated[FamilyScope, Depends(InFamily())]
ManagingGuardian = Annotated[FamilyScope, Depends(InFamily(Right.MANAGE))]
GuardianOfChild = Annotated[ChildScope, Depends(OfChild())]
MayMessageChild = Annotated[ChildScope, Depends(OfChild(Right.MESSAGE))]
ProvenGuardian = Annotated[FamilyScope, Depends(InFamily(step_up=True))]
ProvenBeforeConsent = Annotated[FamilyScope, Depends(InFamily(before_consent=True, step_up=True))]
ProvenPrimaryGuardian = Annotated[FamilyScope, Depends(PrimaryInFamily(step_up=True))]
ProvenPrimaryGuardianOfChild = Annotated[ChildScope, Depends(PrimaryOfChild(step_up=True))]
ProvenMayManageChild = Annotated[ChildScope, Depends(OfChild(Right.MANAGE, step_up=True))]
MayManageChild = Annotated[ChildScope, Depends(OfChild(Right.MANAGE))]
HoldsExportLink = Annotated[ExportScope, Depends(OfExportLink())]
MayLocateChild = Annotated[ChildScope, Depends(OfChild(Right.LOCATE, part=Part.LOCATION))]
MaySeeSosPlaces = Annotated[ChildScope, Depends(OfChild(Right.LOCATE, part=Part.SOS_PLACES))]
MayDrawZones = Annotated[ChildScope, Depends(OfChild(Right.MANAGE, part=Part.LOCATION))]
HoldsLink = Annotated[LinkScope, Depends(OfLink())]
