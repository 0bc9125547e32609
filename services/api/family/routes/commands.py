"""Commands to a child's watch."""

import uuid
from typing import Annotated

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import GuardianOfChild, MayMessageChild
from services.api.family.schemas import commands as schemas
from services.api.problems import problem_responses
from services.core.devices.commands.actions import PAGE_MAX_COMMANDS, command_by_id, commands_of
from services.core.devices.commands.rules import CommandKind
from services.core.devices.contacts.commanding import command_watch
from services.core.devices.watches.tables import WatchCommand

router = Routes(prefix="/v1/children/{child_id}/commands", tags=["commands"])


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def give(work: Work, scope: GuardianOfChild, body: schemas.NewCommandRequest) -> schemas.CommandResponse:
    """Send a command to the child's watch; it is never executed after `expires_at`.

    `ring` needs the right to message, `restart`, `lost` and `found` the right to manage, `locate` the right to locate
    and the caller's consent to location. While the caller's own command of this kind is open, it is returned instead.
    """
    return _command(await command_watch(work, scope.child, scope.membership, CommandKind(body.kind)))


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_commands(
    work: Work, scope: MayMessageChild, limit: Annotated[int, Query(ge=1, le=PAGE_MAX_COMMANDS)] = 50
) -> schemas.CommandsResponse:
    """Return the commands to the child's watches with their senders, newest first.

    Every guardian who may message sees who located the child.
    """
    kinds = [kind.value for kind in CommandKind]
    commands = await commands_of(work, scope.child.child_id, kinds=kinds, limit=limit)
    return schemas.CommandsResponse(commands=[_command(command) for command in commands])


@router.get("/{command_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, command_id: uuid.UUID) -> schemas.CommandResponse:
    """Return the state of one command."""
    return _command(await command_by_id(work, scope.child.child_id, command_id))


def _command(row: WatchCommand) -> schemas.CommandResponse:
    return schemas.CommandResponse.model_validate(row.model_dump())
