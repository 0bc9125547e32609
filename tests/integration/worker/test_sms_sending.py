"""From a row of the outbox to a provider: who is asked next, what is recorded and repeated, and what no log says."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import ClassVar

import httpx
import pytest
import pytest_asyncio
import structlog
from sqlalchemy import delete
from sqlmodel import col, select

from services.core.people.accounts.sms_texts import go_and_look_text, login_code_text
from services.core.platform.db.database import Database
from services.core.platform.log import configure_logging
from services.core.platform.outbox.actions import send_sms
from services.core.platform.outbox.rules import Urgency
from services.core.platform.outbox.sms import SmsText
from services.core.platform.outbox.sms_outcomes import (
    SmsCounts,
    count_outcomes,
    count_waiting_sos,
    purge_old_sms_outcomes,
    record_report,
)
from services.core.platform.outbox.tables import OutboxRow, SmsOutcome
from services.core.platform.sms_settings import SmsRoutes
from services.worker.sms import sms_loops
from services.worker.sms_providers.client import ProviderClient
from services.worker.sms_providers.esms import EsmsAccount, EsmsSms
from services.worker.sms_providers.interface import Failure, SmsNotTakenError, SmsProvider
from services.worker.sms_providers.router import PAUSE_S, SILENCES_MAX, SmsRouter
from services.worker.sms_providers.twilio import TwilioAccount, TwilioSms
from services.worker.wake_ups import WakeUps
from tests.support.clock import FakeClock
from tests.support.sms_gateway import Gateway, GivesUp

PHONE = "+84901888484"
FIRST_TAKES = (200, {"CodeResult": "100"})
FIRST_REFUSES = (200, {"CodeResult": "101"})
BLOCKED = (200, {"CodeResult": "99"})
SECOND_TAKES = (201, {"sid": "SM1"})
INVALID = (400, {"code": 21211})


class Post:
    """Two providers on loopback, the second one for what the first does not take."""

    def __init__(
        self, database: Database, first: Gateway, second: Gateway, patience: GivesUp, client: httpx.AsyncClient
    ) -> None:  # fmt: skip
        self.database = database
        self.first = first
        self.second = second
        self.time_s = 1_000.0
        self.patience = patience
        # Long: only the first one's silence ends a request, when the test says so.
        http = ProviderClient(client, timeout_s=60)
        providers: dict[str, SmsProvider] = {
            "esms": EsmsSms(http, first.url, EsmsAccount("k", "s", "WeCare")),
            "twilio": TwilioSms(http, second.url, TwilioAccount("AC1", "t", "+15005550006")),
        }
        self.router = SmsRouter(SmsRoutes.parse("+84=esms,*=twilio"), providers, clock=lambda: self.time_s)
        loops = sms_loops(database, self.router, WakeUps(database))
        self.sos_sender, self.code_sender, self.sender = loops[0], loops[2], loops[-1]

    async def queue(self, content: SmsText, urgency: Urgency = Urgency.NORMAL, phone: str = PHONE) -> None:
        async with self.database.begin() as work:
            await send_sms(work, phone, content, urgency=urgency)

    async def outcomes(self) -> list[tuple[str, str, str]]:
        async with self.database.begin() as work:
            rows = await work.session.exec(select(SmsOutcome).order_by(col(SmsOutcome.provider)))
            return [(row.provider, row.outcome, row.reason) for row in rows]

    async def waiting(self) -> list[OutboxRow]:
        async with self.database.begin() as work:
            return list(await work.session.exec(select(OutboxRow)))

    async def counts(self) -> SmsCounts:
        async with self.database.begin() as work:
            return await count_outcomes(work, work.now - timedelta(minutes=15))


@pytest_asyncio.fixture(loop_scope="session")
async def post(database: Database) -> AsyncIterator[Post]:
    async with database.begin() as work:
        await work.run(delete(OutboxRow))
        await work.run(delete(SmsOutcome))
    async with (
        Gateway().running() as first,
        Gateway().running() as second,
        httpx.AsyncClient(transport=(patience := GivesUp(first)), trust_env=False) as client,
    ):
        yield Post(database, first, second, patience, client)


@pytest.mark.parametrize(
    ("urgency", "first", "second", "outcomes", "waiting", "requests"),
    [
        (Urgency.NORMAL, FIRST_TAKES, SECOND_TAKES, [("esms", "taken", "")], 0, (1, 0)),
        (Urgency.NORMAL, FIRST_REFUSES, SECOND_TAKES,
         [("esms", "refused", "101"), ("twilio", "taken", "")], 0, (1, 1)),
        (Urgency.NORMAL, (503, {}), SECOND_TAKES, [("esms", "busy", "503"), ("twilio", "taken", "")], 0, (1, 1)),
        # It may have been sent: the same provider is asked again, and it recognises the id.
        (Urgency.NORMAL, (500, {}), SECOND_TAKES, [("esms", "unsure", "500")], 1, (1, 0)),
        # Two texts are better than none.
        (Urgency.SOS, (500, {}), SECOND_TAKES, [("esms", "unsure", "500"), ("twilio", "taken", "")], 0, (1, 1)),
        (Urgency.NORMAL, BLOCKED, INVALID,
         [("esms", "number_refused", "99"), ("twilio", "number_refused", "21211")], 0, (1, 1)),
        (Urgency.NORMAL, (200, {"CodeResult": "103"}), (401, {"code": 20003}),
         [("esms", "refused", "no_balance 103"), ("twilio", "refused", "20003")], 1, (1, 1)),
    ],
)  # fmt: skip
async def test_who_is_asked_next_and_what_is_recorded(
    post: Post, urgency: Urgency, first: tuple[int, object], second: tuple[int, object],
    outcomes: list[tuple[str, str, str]], waiting: int, requests: tuple[int, int],
) -> None:  # fmt: skip
    (post.first.status, post.first.body), (post.second.status, post.second.body) = first, second
    await post.queue(go_and_look_text("vi"), urgency)
    assert await post.sender.consume_one()
    assert await post.outcomes() == outcomes
    assert len(await post.waiting()) == waiting
    assert (len(post.first.requests), len(post.second.requests)) == requests
    counts = await post.counts()
    is_failed = "taken" not in {outcome for _, outcome, _ in outcomes}
    assert (counts.offered, counts.failed, counts.sos_failed) == (1, int(is_failed), 0)
    assert counts.numbers_refused == int(outcomes[0][1] == "number_refused")
    assert counts.without_balance == (("esms",) if "no_balance" in outcomes[0][2] else ())


async def test_a_repeat_has_the_same_id_and_what_the_provider_had_taken_is_done(post: Post, clock: FakeClock) -> None:
    post.first.answers.extend([(500, {}), (200, {"CodeResult": "124"})])
    await post.queue(go_and_look_text("vi"))
    assert await post.sender.consume_one()
    clock.advance(seconds=2)
    assert await post.sender.consume_one()
    ids = [request.json["RequestId"] for request in post.first.requests]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    assert await post.outcomes() == [("esms", "taken", "")]
    assert await post.waiting() == []


async def test_a_message_that_is_reported_delivered_after_a_lost_answer_is_not_sent_again(
    post: Post, clock: FakeClock
) -> None:
    post.first.answers.append((500, {}))
    await post.queue(go_and_look_text("vi"))
    assert await post.sender.consume_one()
    (row,) = await post.waiting()
    async with post.database.begin() as work:
        assert await record_report(work, "esms", row.payload["message_id"], is_delivered=True)
        assert not await record_report(work, "esms", row.payload["message_id"], is_delivered=True)
        # A report about a text that this provider never sent is ignored.
        assert not await record_report(work, "twilio", row.payload["message_id"], is_delivered=False)
        assert not await record_report(work, "esms", "unknown", is_delivered=False)
    clock.advance(seconds=2)
    assert await post.sender.consume_one()
    assert await post.waiting() == []
    assert len(post.first.requests) == 1
    assert await post.outcomes() == [("esms", "delivered", "")] or await post.outcomes() == [
        ("esms", "delivered", "500")
    ]


async def test_a_code_that_is_no_longer_valid_is_not_sent(post: Post, clock: FakeClock) -> None:
    post.first.status, post.first.body = 503, {}
    post.second.status, post.second.body = 503, {}
    await post.queue(login_code_text("vi", "482913"), Urgency.LOG_IN_CODE)
    assert await post.sender.consume_one()
    count = len(post.first.requests)
    clock.advance(minutes=10, seconds=1)
    assert await post.sender.consume_one()
    assert len(post.first.requests) == count
    assert await post.waiting() == []
    assert ("none", "expired", "") in await post.outcomes()


async def test_a_provider_that_hangs_holds_up_neither_an_sos_nor_a_code_and_is_paused(post: Post) -> None:
    post.first.is_stuck = True
    post.second.status, post.second.body = SECOND_TAKES
    await post.queue(go_and_look_text("vi"))
    hanging = asyncio.create_task(post.sender.consume_one())
    await post.first.came.wait()
    # While that one hangs: a code to a number of the other provider, and an SOS.
    await post.queue(login_code_text("en", "482913"), Urgency.LOG_IN_CODE, "+14155550123")
    assert await post.code_sender.consume_one()
    assert len(post.second.requests) == 1
    await post.queue(go_and_look_text("en"), Urgency.SOS, "+14155550124")
    assert await post.sos_sender.consume_one()
    assert len(post.second.requests) == 2
    post.patience.may.set()
    assert await hanging
    for _ in range(SILENCES_MAX - 1):
        await post.queue(go_and_look_text("vi"), Urgency.LOG_IN_CODE)
        assert await post.code_sender.consume_one()
    count = len(post.first.requests)
    assert count == SILENCES_MAX
    # Now it is left alone for a while, and the next message goes at once by the other one.
    await post.queue(go_and_look_text("vi"), Urgency.LOG_IN_CODE)
    assert await post.code_sender.consume_one()
    assert (len(post.first.requests), len(post.second.requests)) == (count, 3)
    # After the pause it is tried again.
    post.time_s += PAUSE_S + 1
    post.first.is_stuck = False
    post.first.status, post.first.body = FIRST_TAKES
    await post.queue(go_and_look_text("vi"), Urgency.LOG_IN_CODE)
    assert await post.code_sender.consume_one()
    assert len(post.first.requests) == count + 1


async def test_a_provider_that_takes_no_connection_in_time_is_passed_over_and_paused(post: Post) -> None:
    class Unreachable(Talkative):
        asked = 0

        async def send(self, phone: str, content: SmsText, message_id: str) -> None:  # noqa: ARG002 - of the interface
            self.asked += 1
            raise SmsNotTakenError(Failure.BUSY, "no_connection", is_silent=True)

    unreachable = Unreachable()
    providers: dict[str, SmsProvider] = {"esms": unreachable, "twilio": post.router.providers["twilio"]}
    router = SmsRouter(SmsRoutes.parse("*=esms|twilio"), providers)
    post.second.status, post.second.body = SECOND_TAKES
    for _ in range(SILENCES_MAX + 1):
        last, taken = await router.send(PHONE, login_code_text("en", "482913"), "an-id")
        assert (last.failure, taken.failure) == (Failure.BUSY, None)
    assert (unreachable.asked, last.reason) == (SILENCES_MAX, "paused")
    assert len(post.second.requests) == SILENCES_MAX + 1


async def test_an_sos_that_nobody_takes_is_counted_and_waits_and_is_retried(post: Post, clock: FakeClock) -> None:
    post.first.status, post.first.body = FIRST_REFUSES
    post.second.status, post.second.body = 401, {"code": 20003}
    await post.queue(go_and_look_text("vi"), Urgency.SOS)
    assert await post.sos_sender.consume_one()
    counts = await post.counts()
    assert (counts.failed, counts.sos_failed) == (1, 1)
    clock.advance(minutes=2)
    async with post.database.begin() as work:
        assert await count_waiting_sos(work, work.now - timedelta(minutes=1)) == 1
        assert await count_waiting_sos(work, work.now - timedelta(minutes=3)) == 0
    post.first.status, post.first.body = FIRST_TAKES
    assert await post.sos_sender.consume_one()
    counts = await post.counts()
    assert (counts.failed, counts.sos_failed) == (0, 0)


@pytest.mark.parametrize(("status", "pauses_s"), [(401, [1, 2, 4, 8, 15, 15]), (500, [1, 2, 4, 8, 16, 32])])
async def test_an_sos_that_surely_was_not_sent_is_tried_often_and_one_that_may_have_been_is_not(
    post: Post, clock: FakeClock, status: int, pauses_s: list[int]
) -> None:
    post.first.status, post.first.body = FIRST_REFUSES
    post.second.status, post.second.body = status, {}
    await post.queue(go_and_look_text("vi"), Urgency.SOS)
    for pause_s in pauses_s:
        post.time_s += PAUSE_S + 1
        assert await post.sos_sender.consume_one()
        (row,) = await post.waiting()
        assert row.available_at - clock() == timedelta(seconds=pause_s)
        clock.advance(seconds=pause_s)
    # After two hours it says nothing that later texts of the alert do not say.
    clock.advance(hours=2)
    count = len(post.first.requests)
    assert await post.sos_sender.consume_one()
    assert (await post.waiting(), len(post.first.requests)) == ([], count)
    assert (await post.counts()).sos_failed == 1


async def test_outcomes_are_forgotten_after_two_weeks(post: Post, clock: FakeClock) -> None:
    post.first.status, post.first.body = FIRST_TAKES
    await post.queue(go_and_look_text("vi"))
    assert await post.sender.consume_one()
    async with post.database.begin() as work:
        assert not await purge_old_sms_outcomes(work)
    clock.advance(days=14)
    async with post.database.begin() as work:
        assert await purge_old_sms_outcomes(work)
    assert await post.outcomes() == []


class Talkative:
    """A provider with a fault, whose exception quotes all that it was given."""

    name: ClassVar[str] = "esms"
    country: str | None = None

    async def send(self, phone: str, content: SmsText, message_id: str) -> None:
        message = f"{phone} {content.text} {dict(content.params)} {message_id}"
        raise RuntimeError(message)

    async def balance(self) -> float:
        return 0.0


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """Log output of a process with our logging at level DEBUG."""
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    configure_logging("worker", "DEBUG")
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    yield written
    structlog.configure(**before)
    structlog.contextvars.unbind_contextvars("process")
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


async def test_no_log_says_a_number_or_a_text_whatever_goes_wrong(
    post: Post, clock: FakeClock, log_lines: io.StringIO
) -> None:
    number, code = "+84901777666", "739154"
    quoting = {"CodeResult": number, "ErrorMessage": f"{number} {code}", "Code": code}
    for first in ((400, quoting), (500, quoting), (200, quoting), (503, quoting), (302, quoting), (200, b"\xff")):
        post.first.status, post.first.body = first
        post.second.status, post.second.body = 400, {"code": number, "message": f"{number}: {code}"}
        await post.queue(login_code_text("vi", code), Urgency.LOG_IN_CODE, number)
        assert await post.sender.consume_one()
        clock.advance(seconds=1)
    post.first.is_stuck = True
    post.patience.may.set()
    await post.queue(login_code_text("vi", code), Urgency.LOG_IN_CODE, number)
    assert await post.sender.consume_one()
    faulty = SmsRouter(SmsRoutes.parse("*=esms"), {"esms": Talkative()})
    sender = sms_loops(post.database, faulty, WakeUps(post.database))[-1]
    clock.advance(minutes=5)
    await post.queue(login_code_text("vi", code), Urgency.LOG_IN_CODE, number)
    assert await sender.consume_one()
    text = log_lines.getvalue()
    assert "sms_not_taken" in text
    assert "sms_provider_failed" in text
    # As people write them, and as providers are given them.
    for canary in (number, "901777666", code, "SmartWatch:", "login_code_text"):
        assert canary not in text
    written = " ".join(f"{provider} {outcome} {reason}" for provider, outcome, reason in await post.outcomes())
    assert "901777666" not in written
    assert code not in written
