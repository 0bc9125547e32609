"""The conversation with a child."""

import uuid
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Query

from services.api.dependencies import Work
from services.api.family.access import ChildScope, IsLoggedIn, MayMessageChild
from services.api.family.schemas.messages import (
    MessageResponse,
    MessagesResponse,
    MessageStateRequest,
    NewMessageRequest,
    Recipient,
    Sender,
    TextMessageRequest,
    UnheardCount,
    UnreadResponse,
    Voice,
)
from services.api.problems import problem_responses
from services.core.conversation.messages import actions
from services.core.conversation.messages.queries import (
    PAGE_MAX_MESSAGES,
    MessageView,
    conversation,
    message_of,
    unread_counts,
)
from services.core.conversation.messages.rules import MessageKind, RecipientState, emoji_body, text_body
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.queries import children_of, families_of, rights_of
from services.core.people.households.rules import Right

router = APIRouter(prefix="/v1/children/{child_id}/messages", tags=["messages"])

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[!-~]+$", examples=["5f0d1c1e-3b7a-4c55"],
        description="made by the app, once per message; a repeat returns the first message",
    ),
]  # fmt: skip


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def send(work: Work, scope: MayMessageChild, key: IdempotencyKey, body: NewMessageRequest) -> MessageResponse:
    """Send the child a text or an emoji. Once this is answered the message is committed and is never lost."""
    content = text_body(body.text) if isinstance(body, TextMessageRequest) else emoji_body(body.emoji)
    sent = await actions.send_to_child(work, scope.child.child_id, scope.caller.guardian_id, key, content)
    await work.flush()
    return message_response(await message_of(work, scope.child, scope.caller.guardian_id, sent.message_id), scope)


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_messages(
    work: Work,
    scope: MayMessageChild,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_MESSAGES)] = 50,
) -> MessagesResponse:
    """Read back through the conversation, newest first. New messages do not move the pages of a cursor."""
    found = await conversation(
        work, scope.child, scope.caller.guardian_id, before_seq=int(cursor) if cursor else None, limit=limit + 1
    )
    page = found[:limit]
    more = len(found) > limit
    return MessagesResponse(
        messages=[message_response(view, scope) for view in page],
        next_cursor=str(page[-1].message.seq) if more else None,
    )


@router.get("/{message_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, message_id: uuid.UUID) -> MessageResponse:
    """Read one message with its states."""
    return message_response(await message_of(work, scope.child, scope.caller.guardian_id, message_id), scope)


@router.put("/{message_id}/state", responses=problem_responses(401, 403, 404, 409, 422))
async def mark(work: Work, scope: MayMessageChild, message_id: uuid.UUID, body: MessageStateRequest) -> MessageResponse:
    """Say that the child's message arrived on this phone, or was read; the child is told. A repeat changes nothing."""
    await actions.mark_by_guardian(
        work, scope.child.child_id, message_id, scope.caller.guardian_id, RecipientState(body.state)
    )
    await work.flush()
    return message_response(await message_of(work, scope.child, scope.caller.guardian_id, message_id), scope)


def message_response(view: MessageView, scope: ChildScope) -> MessageResponse:
    """Return a message as the caller may see it."""
    message = view.message
    from_child = message.direction == "to_family"
    return MessageResponse.model_validate(
        {
            "message_id": message.message_id,
            "child_id": scope.child.child_id,
            "seq": message.seq,
            "direction": message.direction,
            "kind": message.kind,
            "text": view.content if message.kind == MessageKind.TEXT else None,
            "emoji": view.content if message.kind == MessageKind.EMOJI else None,
            "voice": None if view.clip is None else Voice.model_validate(asdict(view.clip)),
            "sender": Sender(
                kind="child" if from_child else "guardian",
                guardian_id=None if from_child else message.guardian_id,
                name=view.sender_name,
            ),
            "sent_at": message.sent_at,
            "received_at": message.received_at,
            "expires_at": message.expires_at,
            "recipients": [
                Recipient.model_validate(
                    {
                        "kind": "child" if one.guardian_id is None else "guardian",
                        "guardian_id": one.guardian_id,
                        "name": one.name,
                        "state": one.state,
                        "detail": one.detail,
                        "changed_at": one.changed_at,
                    }
                )
                for one in view.recipients
            ],
            "my_state": view.my_state,
        }
    )


of_all = APIRouter(prefix="/v1", tags=["messages"])


@of_all.get("/unread", responses=problem_responses(401))
async def count_unread(work: Work, caller: IsLoggedIn) -> UnreadResponse:
    """Count what the caller has not read or played, for each child of the families it may message in."""
    child_ids = []
    for membership, family in await families_of(work, caller.guardian_id):
        consented = await has_consent(work, caller.guardian_id, family.family_id, Part.MESSAGES)
        if consented and rights_of(membership).has(Right.MESSAGE):
            child_ids += [child.child_id for child in await children_of(work, family.family_id)]
    return UnreadResponse(
        children=[
            UnheardCount(child_id=one.child_id, unread=one.unread, unplayed=one.unplayed)
            for one in await unread_counts(work, caller.guardian_id, child_ids)
        ]
    )
