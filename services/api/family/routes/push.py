"""Where the caller's phones and programs are woken."""

import uuid

from fastapi import APIRouter, Request

from services.api.dependencies import Work, settings_of
from services.api.family.access import IsLoggedIn
from services.api.family.schemas import push as told
from services.api.problems import answers
from services.core.devices.push.actions import Target, endpoints_of, register_endpoint, remove_endpoint
from services.core.devices.push.rules import EndpointKind, checked_address
from services.core.devices.push.tables import PushEndpoint
from services.core.devices.push.web_push import PushIdentity
from services.core.platform.settings import Environment

router = APIRouter(prefix="/v1", tags=["push"])


@router.get("/push-key", responses=answers(401))
async def read_key(work: Work, _caller: IsLoggedIn) -> told.PushKey:
    """Tell the key with which a browser subscribes."""
    return told.PushKey(public_key=PushIdentity(work.vault).public_key)


@router.get("/push-endpoints", responses=answers(401))
async def list_endpoints(work: Work, caller: IsLoggedIn) -> told.Endpoints:
    """Tell where the caller is woken; not the addresses."""
    return told.Endpoints(endpoints=[_endpoint(one) for one in await endpoints_of(work, caller.guardian_id)])


@router.post("/push-endpoints", status_code=201, responses=answers(401, 409, 422))
async def register(
    work: Work, caller: IsLoggedIn, request: Request, asked: told.NewEndpoint
) -> told.RegisteredEndpoint:
    """Have this session woken at an address; the same address again replaces what was there.

    A note carries a kind and ids, never a name, a text or a place. It ends with the session, and when the address has
    failed for days.
    """
    only_public = settings_of(request).environment is Environment.PRODUCTION
    address = checked_address(asked.address, only_public=only_public)
    if isinstance(asked, told.NewWebPush):
        target = Target(EndpointKind.WEB_PUSH, address, asked.p256dh, asked.auth)
    else:
        target = Target(EndpointKind.WEBHOOK, address)
    endpoint, secret = await register_endpoint(work, caller.guardian_id, caller.session_id, target)
    return told.RegisteredEndpoint(**_endpoint(endpoint).model_dump(), secret=secret or None)


@router.delete("/push-endpoints/{endpoint_id}", status_code=204, responses=answers(401, 404, 422))
async def remove(work: Work, caller: IsLoggedIn, endpoint_id: uuid.UUID) -> None:
    """Have it woken no more."""
    await remove_endpoint(work, caller.guardian_id, endpoint_id)


def _endpoint(row: PushEndpoint) -> told.Endpoint:
    return told.Endpoint.model_validate(row.model_dump())
