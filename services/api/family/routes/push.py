"""Push endpoints of the caller's sessions."""

import uuid

from fastapi import Request

from services.api.declaring import Routes
from services.api.dependencies import Work, settings_of
from services.api.family.access import IsLoggedIn
from services.api.family.limits import costs_guardian
from services.api.family.schemas import push as schemas
from services.api.problems import problem_responses
from services.core.devices.push.actions import Target, endpoints_of, register_endpoint, remove_endpoint, try_endpoint
from services.core.devices.push.rules import EndpointKind, checked_address
from services.core.devices.push.tables import PushEndpoint
from services.core.devices.push.web_push import PushIdentity
from services.core.platform.limits.rules import Limits
from services.core.platform.settings import Environment

router = Routes(prefix="/v1", tags=["push"])


@router.get("/push-key", responses=problem_responses(401))
async def read_key(work: Work, _caller: IsLoggedIn) -> schemas.PushKeyResponse:
    """Return the public key for a browser's push subscription (`applicationServerKey`)."""
    return schemas.PushKeyResponse(public_key=PushIdentity(work.vault).public_key)


@router.get("/push-endpoints", responses=problem_responses(401))
async def list_endpoints(work: Work, caller: IsLoggedIn) -> schemas.PushEndpointsResponse:
    """Return the caller's push endpoints, without their addresses."""
    return schemas.PushEndpointsResponse(
        endpoints=[_endpoint(endpoint) for endpoint in await endpoints_of(work, caller.guardian_id)]
    )


@router.post("/push-endpoints", status_code=201, responses=problem_responses(401, 409, 422))
async def register(
    work: Work, caller: IsLoggedIn, request: Request, body: schemas.NewPushEndpointRequest
) -> schemas.RegisteredPushEndpointResponse:
    """Register a push endpoint of this session; the same address again replaces the earlier registration.

    Notifications carry a kind and ids, never a name, a text or a place. The endpoint ends with the session, or after
    days of failed deliveries. A webhook's `secret` is returned only here. 409 when the caller has too many endpoints.
    """
    only_public = settings_of(request).environment is Environment.PRODUCTION
    address = checked_address(body.address, only_public=only_public)
    if isinstance(body, schemas.NewWebPushRequest):
        target = Target(EndpointKind.WEB_PUSH, address, body.p256dh, body.auth)
    else:
        target = Target(EndpointKind.WEBHOOK, address)
    endpoint, secret = await register_endpoint(work, caller.guardian_id, caller.session_id, target)
    return schemas.RegisteredPushEndpointResponse(**_endpoint(endpoint).model_dump(), secret=secret or None)


@router.post(
    "/push-endpoints/{endpoint_id}/try",
    status_code=202,
    dependencies=[costs_guardian(Limits.PUSH_TRIALS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 422, 429),
)
async def try_one(work: Work, caller: IsLoggedIn, endpoint_id: uuid.UUID) -> schemas.PushTrialResponse:
    """Send a trial notification of kind `push.trial` to one of the caller's endpoints, to see whether the phone wakes.

    403 before any consent: until then no notification is ever sent.
    """
    await try_endpoint(work, caller.guardian_id, endpoint_id)
    return schemas.PushTrialResponse(endpoint_id=endpoint_id, asked_at=work.now)


@router.delete("/push-endpoints/{endpoint_id}", status_code=204, responses=problem_responses(401, 404, 422))
async def remove(work: Work, caller: IsLoggedIn, endpoint_id: uuid.UUID) -> None:
    """Delete a push endpoint; nothing is sent to it any more."""
    await remove_endpoint(work, caller.guardian_id, endpoint_id)


def _endpoint(row: PushEndpoint) -> schemas.PushEndpointResponse:
    return schemas.PushEndpointResponse.model_validate(row.model_dump())
