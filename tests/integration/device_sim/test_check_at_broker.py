"""The check of a watch at a broker that is there already: the same steps, without what only a broker sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.broker.configuration import BrokerConfiguration
from services.broker.passwords import BrokerLogin
from services.broker.process import MosquittoProcess
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.device_sim.conformance.given_broker import GivenBroker
from services.device_sim.conformance.sim_hand import SECRET, SERIAL, SIM_PACE, SimHand
from services.device_sim.conformance.verdicts import Outcome
from services.device_sim.conformance.watch_check import STEPS, Progress, WatchCheck
from services.device_sim.console.check_watch import app
from services.protocol.topics import factory_user

_STEPS = {
    "A hello without an answer", "Receipt: id_conflict", "The same text announced again",
    "A recording to the child, with a loss in between", "Contacts and settings", "Usage counters",
}  # fmt: skip


_PASSWORD = "password-of-a-backend"
_PAIRED = ("w-abcdefghijklmnop", "password-of-a-watch")


async def test_our_simulator_holds_at_a_given_broker_and_connections_are_not_judged(
    tmp_path: Path, configuration: BrokerConfiguration, mosquitto: Path
) -> None:
    broker = MosquittoProcess(configuration, mosquitto, _PASSWORD)
    await broker.start()
    known = {factory_user(SERIAL).name: SECRET, _PAIRED[0]: _PAIRED[1]}
    await broker.set_logins([BrokerLogin(name, mosquitto_hash(secret)) for name, secret in known.items()])
    try:
        given = GivenBroker("127.0.0.1", configuration.backend_port, "sw-backend", _PASSWORD)
        check = WatchCheck(SERIAL, SIM_PACE, given)
        check.bench.paired_login = _PAIRED
        steps = [step for step in STEPS if not step.needs_pairing or step.name in _STEPS]
        told: list[Progress] = []
        async with check.listening("", 0), SimHand(tmp_path, configuration.plain_port) as hand:
            await check.run(hand, told.append, steps)
    finally:
        await broker.stop()
    broken = [f"{v.sentence.number}: {v.came} / {v.expected}" for v in check.verdicts.with_outcome(Outcome.BROKEN)]
    assert broken == []
    assert [check.verdicts.outcome(number) for number in ("C2", "C6", "C8", "C9", "C12")] == [Outcome.NOT_SEEN] * 5
    assert [check.verdicts.outcome(number) for number in ("C5", "I7", "P1", "P2")] == [Outcome.HELD] * 4
    assert [told_of.note for told_of in told if told_of.note] == [
        "cut short: a check at a given broker can neither cut a connection nor refuse a log-in"
    ] * sum(1 for told_of in told if told_of.note)
    assert any(told_of.note for told_of in told)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--serial", "DESK0001", "--broker", "nowhere"], "nowhere is no HOST:PORT."),
        (["--serial", "DESK0001", "--broker", "127.0.0.1:1"], "the broker 127.0.0.1:1 is not to be used: not_reached."),
    ],
)
def test_a_broker_that_cannot_be_used_is_told(words: list[str], answer: str) -> None:
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 2
    assert answer in ran.output
