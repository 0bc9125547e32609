"""The conversation with a child."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Header, Query

from services.api.access_family import ChildScope, MayMessageChild
from services.api.dependencies import Work
from services.api.problems import answers
from services.api.schemas.messages import Message, MyState, NewMessage, Page, Recipient, Sender, TextMessage
from services.core.messages import actions
from services.core.messages.queries import PAGE_MAX_MESSAGES, MessageView, conversation, one_message
from services.core.messages.rules import MessageKind, RecipientState, emoji_body, text_body

router = APIRouter(prefix="/v1/children/{child_id}/messages", tags=["messages"])

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[!-~]+$", examples=["5f0d1c1e-3b7a-4c55"],
        description="made by the app, once per message; a repeat returns the first message",
    ),
]  # fmt: skip


@router.post("", status_code=201, responses=answers(401, 403, 404, 409, 422))
async def send(work: Work, scope: MayMessageChild, key: IdempotencyKey, asked: NewMessage) -> Message:
    """Send the child a text or an emoji. Once this is answered the message is committed and is never lost."""
    body = text_body(asked.text) if isinstance(asked, TextMessage) else emoji_body(asked.emoji)
    sent = await actions.send_to_child(work, scope.child.child_id, scope.caller.guardian_id, key, body)
    await work.flush()
    return _told(await one_message(work, scope.child, scope.caller.guardian_id, sent.message_id), scope)


@router.get("", responses=answers(401, 403, 404, 422))
async def list_messages(
    work: Work,
    scope: MayMessageChild,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="next_cursor of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_MESSAGES)] = 50,
) -> Page:
    """Read back through the conversation, newest first. New messages do not move the pages of a cursor."""
    found = await conversation(
        work, scope.child, scope.caller.guardian_id, before_seq=int(cursor) if cursor else None, limit=limit + 1
    )
    page = found[:limit]
    more = len(found) > limit
    return Page(messages=[_told(view, scope) for view in page], next_cursor=str(page[-1].message.seq) if more else None)


@router.get("/{message_id}", responses=answers(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, message_id: uuid.UUID) -> Message:
    """Read one message with its states."""
    return _told(await one_message(work, scope.child, scope.caller.guardian_id, message_id), scope)


@router.put("/{message_id}/state", responses=answers(401, 403, 404, 409, 422))
async def mark(work: Work, scope: MayMessageChild, message_id: uuid.UUID, said: MyState) -> Message:
    """Say that the child's message arrived on this phone, or was read; the child is told. A repeat changes nothing."""
    await actions.mark_by_guardian(
        work, scope.child.child_id, message_id, scope.caller.guardian_id, RecipientState(said.state)
    )
    await work.flush()
    return _told(await one_message(work, scope.child, scope.caller.guardian_id, message_id), scope)


def _told(view: MessageView, scope: ChildScope) -> Message:
    message = view.message
    from_child = message.direction == "to_family"
    return Message.model_validate(
        {
            "message_id": message.message_id,
            "child_id": scope.child.child_id,
            "seq": message.seq,
            "direction": message.direction,
            "kind": message.kind,
            "text": view.content if message.kind == MessageKind.TEXT else None,
            "emoji": view.content if message.kind == MessageKind.EMOJI else None,
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
