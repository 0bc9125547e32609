"""The calling staff member: role, scopes, sessions."""

import uuid

from services.api.client_address import ClientAddress
from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import PERMISSIONS, IsStaff
from services.api.staff.schemas.accounts import (
    ChangePasswordRequest,
    RecoveryCodesResponse,
    RenewRecoveryCodesRequest,
    ServedScope,
    StaffMeResponse,
    StaffSession,
    StaffSessionsResponse,
)
from services.core.people.accounts.staff_log_in import StaffProof, change_password, renew_recovery_codes
from services.core.people.accounts.staff_sessions import end_staff_session, staff_sessions_of
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import named_scopes_of

router = Routes(prefix="/v1/staff/me", tags=["staff: me"])


@router.get("", responses=problem_responses(401))
async def read_me(work: Work, caller: IsStaff) -> StaffMeResponse:
    """Return the caller's name, role, permissions, programmes and sites."""
    staff = caller.staff
    return StaffMeResponse(
        staff_id=staff.staff_id,
        email=staff.email,
        display_name=staff.display_name,
        role=staff.role,
        permissions=sorted(permission.value for permission in PERMISSIONS.get(staff.role, ())),
        scopes=[
            ServedScope(
                programme_id=scope.programme_id,
                site_id=scope.site_id,
                programme=programme.name,
                simulated=programme.simulated,
                site=site and site.name,
                country=site and site.country,
                timezone=site and site.timezone,
                locale=site and site.locale,
            )
            for scope, programme, site in await named_scopes_of(work, staff.staff_id)
        ],
    )


@router.post("/password", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def change_own_password(work: Work, caller: IsStaff, address: ClientAddress, body: ChangePasswordRequest) -> None:
    """Change the caller's password, given the old one and an authenticator code. Every other session ends."""
    proof = StaffProof(caller.staff.email, body.password, address, body.code)
    await change_password(work, caller.staff_session_id, proof, body.new_password)


@router.post("/recovery-codes", responses=problem_responses(401, 403, 422, 429))
async def renew_codes(
    work: Work, caller: IsStaff, address: ClientAddress, body: RenewRecoveryCodesRequest
) -> RecoveryCodesResponse:
    """Return ten new recovery codes, given the password and an authenticator code. The previous ones become invalid."""
    proof = StaffProof(caller.staff.email, body.password, address, body.code)
    return RecoveryCodesResponse(recovery_codes=await renew_recovery_codes(work, proof))


@router.get("/sessions", responses=problem_responses(401))
async def list_sessions(work: Work, caller: IsStaff) -> StaffSessionsResponse:
    """List the caller's live sessions."""
    return StaffSessionsResponse(
        sessions=[
            StaffSession(
                staff_session_id=session.staff_session_id, created_at=session.created_at,
                last_used_at=session.last_used_at, current=session.staff_session_id == caller.staff_session_id,
            )
            for session in await staff_sessions_of(work, caller.staff_id)
        ]
    )  # fmt: skip


@router.delete("/sessions/{staff_session_id}", status_code=204, responses=problem_responses(401, 404, 422))
async def end_session(work: Work, caller: IsStaff, staff_session_id: uuid.UUID) -> None:
    """End one of the caller's sessions. Repeating the request changes nothing."""
    if not await end_staff_session(work, caller.staff_id, staff_session_id):
        raise NotFoundError
