"""The check of a watch that is played with the programs of Mosquitto."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from services.device_sim.conformance.bench import Pace
from services.device_sim.conformance.hands import Look, Press
from services.device_sim.conformance.verdicts import Outcome
from services.device_sim.conformance.watch_check import STEPS, WatchCheck
from services.protocol.topics import factory_user
from tests.support.debian_programs import Program, program

_SERIAL = "HAND0001"
# People and programs that start for each message are slow; nothing here is waited for longer than it takes.
_PACE = Pace(contract=1 / 30, patience_s=60.0, network_s=30.0, quiet_s=0.4)


@dataclass
class Shell:
    """A tester with two programs, and one connection for each message as docs/by-hand.md has it."""

    port: int
    pub: Program
    asks: Program  # publishes and waits for an answer on one connection
    plays: list[asyncio.Task[None]] = field(default_factory=list)

    async def press(self, press: Press) -> None:
        """Play what the button would do."""
        if press is Press.PAIR:
            self.plays.append(asyncio.create_task(self._pair()))

    async def look(self, look: Look) -> bool | None:
        """See nothing: there is no screen."""
        del look
        return None

    async def _pair(self) -> None:
        factory = factory_user(_SERIAL).name
        question, answer = f"sw/v1/{factory}/up/pairing", f"sw/v1/{factory}/down/pairing"
        heard, ask = {}, "code"
        while "credentials" not in heard:
            message = json.dumps({"ask": ask})
            words = ("-t", question, "-e", answer, "-m", message, "-W", "10", "-V", "mqttv311")
            heard = json.loads(await self._run(self.asks, factory, "any", *words) or "{}")
            ask = "status"
        given = heard["credentials"]
        hello = {"tst": 0, "conn": "hand1", "protocol": 1, "model": "by-hand", "contacts_version": 0}
        user, password = given["username"], given["password"]
        await self._say(user, password, "hello", hello)
        # Until the test ends: without a subscription nobody hears when the lists come.
        while True:
            for ref, version in (("contacts", 3), ("config", 2)):
                await self._say(user, password, "ack", {"ref": ref, "version": version, "state": "done"})

    async def _say(self, user: str, password: str, level: str, fields: dict[str, object]) -> None:
        await self._run(self.pub, user, password, "-t", f"sw/v1/{user}/up/{level}", "-m", json.dumps(fields))

    async def _run(self, command: Program, user: str, password: str, *more: str) -> str:
        address = ("-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-u", user, "-P", password, "-i", user)
        return (await asyncio.to_thread(command.run, *address, *more)).stdout


async def test_the_page_played_by_hand_is_judged() -> None:
    pub, asks = program("mosquitto_pub", "mosquitto-clients"), program("mosquitto_rr", "mosquitto-clients")
    check = WatchCheck(_SERIAL, _PACE)
    async with check.listening("127.0.0.1", 0) as port:
        shell = Shell(port, pub, asks)
        await check.run(shell, steps=[step for step in STEPS if not step.needs_pairing])
        for play in shell.plays:
            play.cancel()
        await asyncio.gather(*shell.plays, return_exceptions=True)
    outcomes = {number: check.verdicts.outcome(number) for number in ("C1", "C3", "C5", "I1", "I6", "I7", "P1", "P2")}
    assert outcomes == dict.fromkeys(outcomes, Outcome.HELD)
    # mosquitto_pub has no subscription and leaves no will.
    assert {check.verdicts.outcome(number) for number in ("C8", "C12")} == {Outcome.BROKEN}
