"""Which identity may send which kind of uplink, and its handler. A kind without a declaration fails a test.

A handler of a paired watch receives ``(work, identity, message)``: an open transaction, the locked identity of the
sender, and the decoded message. Looking up the identity, locking it, answering a watch whose pairing has ended, and
recording the sign of life are done once, in ``receiving.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import Answer
from services.protocol.topics import Identity, Uplink, UplinkKind, User
from services.watch_link.backend import Backend
from services.watch_link.replies import Reply

C = TypeVar("C")


@dataclass(frozen=True)
class UplinkMessage(Generic[C]):
    """One uplink: its topic, its bytes, and the content that was decoded from them.

    Identity comes from the topic, which the transport has checked.
    """

    topic: Uplink
    payload: bytes
    content: C

    @property
    def user(self) -> User:
        """Return the sender."""
        return self.topic.user


Decode = Callable[[Uplink, bytes], C]
# Answer to a watch whose pairing has ended, or whose message fails as a whole.
Refuse = Callable[[UplinkMessage[Any], Answer], list[Reply]]
Handle = Callable[[UnitOfWork, WatchIdentity, UplinkMessage[Any]], Awaitable[Any]]
# Runs before the first transaction; its result is the input of ``outside``.
Shortcut = Callable[[Backend, UplinkMessage[Any]], Awaitable[Any]]
# Runs between transactions; its result is the replies, or the input of the next step.
Outside = Callable[[Backend, UplinkMessage[Any], Any], Awaitable[Any]]
Finish = Callable[[UnitOfWork, WatchIdentity, UplinkMessage[Any], Any], Awaitable[list[Reply]]]
# Many messages of one kind: the answers to each, in their order. All of them are committed or none is.
HandleBatch = Callable[[UnitOfWork, Sequence[tuple[WatchIdentity, UplinkMessage[Any]]]], Awaitable[list[list[Reply]]]]
HandleFactory = Callable[[Backend, UplinkMessage[Any]], Awaitable[list[Reply]]]


@dataclass(frozen=True)
class FactoryKind:
    """A kind that only a factory identity sends; its handler opens the transaction."""

    decode: Decode[Any]
    handle: HandleFactory


@dataclass(frozen=True)
class PairedKind:
    """A kind that only a paired watch sends.

    ``handle`` returns the replies, or anything else for ``outside``: a step that reads or stores bytes outside
    Postgres while no row is locked. ``outside`` returns the replies, or anything else for ``finish``, which runs in a
    second transaction under the same preamble. ``shortcut`` reads without locks what ``handle`` would return for most
    messages; None: ``handle`` is called.
    """

    decode: Decode[Any]
    handle: Handle
    refuse: Refuse
    is_sign_of_life: bool
    outside: Outside | None = None
    finish: Finish | None = None
    shortcut: Shortcut | None = None
    # A batched kind whose earlier messages of the same watch must be committed before.
    after: UplinkKind | None = None


@dataclass(frozen=True)
class BatchedKind:
    """A kind of which so many messages arrive that one commit each would be most of the work."""

    decode: Decode[Any]
    handle: HandleBatch
    refuse: Refuse
    is_sign_of_life: bool = True
    # Whether the next message of a watch waits until this one is committed.
    in_order: bool = False


Declaration = FactoryKind | PairedKind | BatchedKind

DECLARATIONS: dict[UplinkKind, Declaration] = {}


def sender_of(declaration: Declaration) -> Identity:
    """Return which sort of identity may send a kind."""
    return Identity.FACTORY if isinstance(declaration, FactoryKind) else Identity.PAIRED


def is_batched(kind: UplinkKind) -> bool:
    """Return whether messages of this kind of many watches may share one commit."""
    return isinstance(DECLARATIONS[kind], BatchedKind)


def kind_before(kind: UplinkKind) -> UplinkKind | None:
    """Return the batched kind whose messages of a watch must be committed before one of this kind is handled."""
    declared = DECLARATIONS[kind]
    return declared.after if isinstance(declared, PairedKind) else None


def is_in_order(kind: UplinkKind) -> bool:
    """Return whether the next message of a watch waits for the commit of one of this kind."""
    declared = DECLARATIONS[kind]
    return not isinstance(declared, BatchedKind) or declared.in_order


def _declare(kind: UplinkKind, declaration: Declaration) -> None:
    if kind in DECLARATIONS:
        message = f"{kind} is declared twice"
        raise ValueError(message)
    DECLARATIONS[kind] = declaration


def handles(
    kind: UplinkKind, decode: Decode[C], refuse: Refuse, *, is_sign_of_life: bool = True,
    outside: Outside | None = None, finish: Finish | None = None, shortcut: Shortcut | None = None,
    after: UplinkKind | None = None,
) -> Callable[[Callable[[UnitOfWork, WatchIdentity, UplinkMessage[C]], Awaitable[Any]]], Handle]:  # fmt: skip
    """Declare the decorated function as the handler of a kind of paired watches.

    ``is_sign_of_life=False`` is for kinds that state the presence of the watch themselves (hello, status, the will).
    ``after`` names a batched kind that this one depends on.
    """

    def declare(handle: Handle) -> Handle:
        _declare(kind, PairedKind(decode, handle, refuse, is_sign_of_life, outside, finish, shortcut, after))
        return handle

    return declare


def handles_batch(
    kind: UplinkKind, decode: Decode[C], refuse: Refuse, *, is_sign_of_life: bool = True, in_order: bool = False
) -> Callable[[HandleBatch], HandleBatch]:
    """Declare the decorated function as the handler of many messages of a kind under one commit.

    ``is_sign_of_life`` as for :func:`handles`. ``in_order``: the next message of a watch is handled after the commit,
    because what it says about the watch depends on this one.
    """

    def declare(handle: HandleBatch) -> HandleBatch:
        _declare(kind, BatchedKind(decode, handle, refuse, is_sign_of_life, in_order))
        return handle

    return declare


def handles_factory(kind: UplinkKind, decode: Decode[C]) -> Callable[[HandleFactory], HandleFactory]:
    """Declare the decorated function as the handler of a kind of factory identities."""

    def declare(handle: HandleFactory) -> HandleFactory:
        _declare(kind, FactoryKind(decode, handle))
        return handle

    return declare
