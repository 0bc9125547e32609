"""Every kind of uplink has a declared identity and one way in."""

from __future__ import annotations

import pytest

from services.protocol.topics import UplinkKind
from services.watch_link.answers import no_answer
from services.watch_link.handlers import DECLARATIONS
from services.watch_link.registry import FactoryKind, handles


@pytest.mark.parametrize("kind", UplinkKind)
def test_every_kind_declares_who_may_send_it(kind: UplinkKind) -> None:
    assert kind in DECLARATIONS


def test_a_factory_identity_may_send_pairing_and_nothing_else() -> None:
    factory = [kind for kind, declared in DECLARATIONS.items() if isinstance(declared, FactoryKind)]
    assert factory == [UplinkKind.PAIRING]


async def _nothing(*_: object) -> list[object]:
    return []


def test_a_kind_is_declared_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        handles(UplinkKind.TEXT, lambda _topic, payload: payload, no_answer)(_nothing)
