"""Access rules of staff routes: every route declares one, and a test fails for a route without a rule.

The table below maps roles to permissions; scopes limit them to programmes and sites. A site outside the scope gets the
same response as an unknown one. Role and scopes are read from the database on each request. Neither this file nor the
staff routes import a package that holds content, positions or contacts.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.dependencies import Work
from services.api.refusals import note_caller
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.errors import AccessTokenInvalidError, SessionEndedError
from services.core.people.accounts.staff_sessions import staff_of_session
from services.core.people.accounts.tables import Staff
from services.core.people.accounts.tokens import AccessTokens
from services.core.people.households.errors import HandOutClosedError, NotFoundError
from services.core.people.households.hand_out_codes import has_open_hand_out
from services.core.people.programme.errors import PermissionMissingError
from services.core.people.programme.queries import site_served
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

_BEARER = HTTPBearer(
    auto_error=False, scheme_name="Staff", description="The access token of POST /v1/staff/auth/tokens"
)


class Permission(StrEnum):
    """A permission of a staff member within the member's scopes."""

    SEE_STRUCTURE = "see structure"
    MANAGE_ACCOUNTS = "manage accounts"
    APPROVE_ACCOUNTS = "approve accounts"
    SEE_DEVICES = "see devices"
    HAND_OUT = "hand out"
    FAMILY_CODES = "see family codes"
    RECOVER = "recover accounts"
    BREAK_GLASS = "break glass"
    SETTLE_CONTESTS = "settle contests"
    EXPORT = "export aggregates"
    SUPPORT = "support families"
    SEE_IMPACT = "see survey reports"
    MANAGE_STRUCTURE = "manage structure"
    REGISTER_WATCHES = "register watches"


_OF_SITE: Final = frozenset(
    {Permission.SEE_STRUCTURE, Permission.SEE_DEVICES, Permission.HAND_OUT, Permission.FAMILY_CODES}
)
PERMISSIONS: Final[Mapping[str, frozenset[Permission]]] = {
    "admin": frozenset(Permission),
    "manager": _OF_SITE
    | {Permission.RECOVER, Permission.BREAK_GLASS, Permission.EXPORT, Permission.SUPPORT, Permission.SEE_IMPACT}
    | {Permission.APPROVE_ACCOUNTS, Permission.SETTLE_CONTESTS, Permission.REGISTER_WATCHES},
    "staff": _OF_SITE | {Permission.RECOVER, Permission.EXPORT, Permission.SUPPORT, Permission.SEE_IMPACT},
    # Often part of the factory's personnel office: sees family codes only while a hand-out of the site is open.
    "coordinator": _OF_SITE,
    # The employer: statistics over many families, never data of a single family.
    "factory": frozenset({Permission.EXPORT}),
}


@dataclass(frozen=True)
class StaffCaller:
    """The authenticated staff member of a request."""

    staff: Staff
    staff_session_id: uuid.UUID

    @property
    def staff_id(self) -> uuid.UUID:
        """The staff member's id."""
        return self.staff.staff_id

    def may(self, permission: Permission) -> bool:
        """Return whether the caller's role has a permission."""
        return permission in PERMISSIONS.get(self.staff.role, frozenset())


@dataclass(frozen=True)
class SiteScope:
    """A site within the caller's scope."""

    caller: StaffCaller
    site: Site
    permission: Permission


async def read_staff(
    request: Request,
    work: Work,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> StaffCaller:
    """Authenticate a staff token; raises AccessTokenInvalidError, SessionEndedError, RetryLaterError."""
    if bearer is None:
        raise AccessTokenInvalidError
    tokens: AccessTokens = request.app.state.tokens
    claims = tokens.read_staff(bearer.credentials, work.now)
    note_caller(request, staff_actor(claims.staff_id))
    await charge(work, Charge(Limits.REQUESTS_OF_STAFF, str(claims.staff_id)))
    staff = await staff_of_session(work, claims.staff_session_id, claims.staff_id)
    if staff is None:
        raise SessionEndedError
    return StaffCaller(staff, claims.staff_session_id)


AnyStaff = Annotated[StaffCaller, Depends(read_staff)]


class StaffLoggedIn:
    """Access rule: any staff member with a live session; for the own sessions and profile."""

    access_rule: ClassVar[str] = "staff logged in"

    async def __call__(self, caller: AnyStaff) -> StaffCaller:
        """Return the caller."""
        return caller


class StaffWith:
    """Access rule: a staff member whose role has a permission; the route applies the scopes itself."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        self.access_rule = f"staff, may {permission.value}"

    async def __call__(self, caller: AnyStaff) -> StaffCaller:
        """Return the caller; raises PermissionMissingError."""
        _check(caller, self.permission)
        return caller


class OfSite:
    """Access rule: a staff member whose role has a permission and whose scopes contain the path's site."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        self.access_rule = f"of site, may {permission.value}"

    async def __call__(self, work: Work, caller: AnyStaff, site_id: Annotated[uuid.UUID, Path()]) -> SiteScope:
        """Return the scope; raises PermissionMissingError, NotFoundError, HandOutClosedError."""
        return await _site_scope(work, caller, site_id, self.permission)


async def require_site_scope(work: UnitOfWork, scope: SiteScope) -> None:
    """Decide again, in a later transaction of the same request, whether the caller has the scope.

    Raises SessionEndedError, and what ``OfSite`` raises.
    """
    caller = scope.caller
    staff = await staff_of_session(work, caller.staff_session_id, caller.staff_id)
    if staff is None:
        raise SessionEndedError
    await _site_scope(work, StaffCaller(staff, caller.staff_session_id), scope.site.site_id, scope.permission)


def joins_health_and_families(caller: StaffCaller) -> bool:
    """Return whether the caller may see which family has which device state.

    A coordinator sees the health of devices by serial, and family codes inside an open hand-out, but never both in one
    answer: together they tell which families have fallen silent.
    """
    return caller.may(Permission.FAMILY_CODES) and caller.staff.role != "coordinator"


async def sees_family_codes(work: UnitOfWork, scope: SiteScope) -> bool:
    """Return whether the caller may see the codes of the site's families now."""
    if joins_health_and_families(scope.caller):
        return True
    return scope.caller.may(Permission.FAMILY_CODES) and await has_open_hand_out(work, scope.site.site_id)


async def _site_scope(work: UnitOfWork, caller: StaffCaller, site_id: uuid.UUID, permission: Permission) -> SiteScope:
    _check(caller, permission)
    site = await site_served(work, caller.staff_id, site_id)
    if site is None:
        raise NotFoundError
    scope = SiteScope(caller, site, permission)
    if permission is Permission.FAMILY_CODES and not await sees_family_codes(work, scope):
        raise HandOutClosedError
    return scope


def _check(caller: StaffCaller, permission: Permission) -> None:
    if not caller.may(permission):
        raise PermissionMissingError(permission.value)


IsStaff = Annotated[StaffCaller, Depends(StaffLoggedIn())]
MaySeeStructure = Annotated[StaffCaller, Depends(StaffWith(Permission.SEE_STRUCTURE))]
MayManageAccounts = Annotated[StaffCaller, Depends(StaffWith(Permission.MANAGE_ACCOUNTS))]
MayApproveAccounts = Annotated[StaffCaller, Depends(StaffWith(Permission.APPROVE_ACCOUNTS))]
StructureOfSite = Annotated[SiteScope, Depends(OfSite(Permission.SEE_STRUCTURE))]
DevicesOfSite = Annotated[SiteScope, Depends(OfSite(Permission.SEE_DEVICES))]
HandsOutAtSite = Annotated[SiteScope, Depends(OfSite(Permission.HAND_OUT))]
FamilyCodesAtSite = Annotated[SiteScope, Depends(OfSite(Permission.FAMILY_CODES))]
RecoversAtSite = Annotated[SiteScope, Depends(OfSite(Permission.RECOVER))]
SettlesContestsAtSite = Annotated[SiteScope, Depends(OfSite(Permission.SETTLE_CONTESTS))]
BreaksGlassAtSite = Annotated[SiteScope, Depends(OfSite(Permission.BREAK_GLASS))]
SupportsAtSite = Annotated[SiteScope, Depends(OfSite(Permission.SUPPORT))]
SeesImpactAtSite = Annotated[SiteScope, Depends(OfSite(Permission.SEE_IMPACT))]
# Statistics over many families: the only data of its own site that the factory can read.
AggregatesOfSite = Annotated[SiteScope, Depends(OfSite(Permission.EXPORT))]
MayExport = Annotated[StaffCaller, Depends(StaffWith(Permission.EXPORT))]
MayManageStructure = Annotated[StaffCaller, Depends(StaffWith(Permission.MANAGE_STRUCTURE))]
RegistersWatchesAtSite = Annotated[SiteScope, Depends(OfSite(Permission.REGISTER_WATCHES))]
StructureManagedAtSite = Annotated[SiteScope, Depends(OfSite(Permission.MANAGE_STRUCTURE))]
