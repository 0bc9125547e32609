"""The check of a backend finds nothing broken in ours, and sees nine of ten sentences."""

from __future__ import annotations

import ssl

from services.device_sim.conformance.backend_check import BackendCheck
from services.device_sim.conformance.parent_hands import SimParentHand
from services.device_sim.conformance.verdicts import Outcome
from services.device_sim.watch.mqtt_connection import BrokerAddress
from tests.e2e.conftest import Play


async def test_our_backend_holds_the_contract(play: Play) -> None:
    home = await play.home()
    tls = ssl.create_default_context(cafile=str(play.installation.tls_ca_file))
    address = BrokerAddress("127.0.0.1", play.installation.ports["mosquitto_tls_port"], tls)
    async with play.parent(home.phone) as parent:
        hand = SimParentHand(parent)
        await hand.begin()
        check = BackendCheck(address, home.serial, home.secret, hand)
        verdicts = await check.run()
    broken = [
        f"{verdict.sentence.number}: {verdict.came} / {verdict.expected}"
        for verdict in verdicts.with_outcome(Outcome.BROKEN)
    ]
    assert broken == []
    assert verdicts.seen_share >= 0.9
