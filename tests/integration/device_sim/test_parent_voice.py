"""A parent speaks and hears over the real API, on networks that lose answers, parts and the ends of downloads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.core.platform.db.database import Database
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import ProblemError, ServerAwayError, state_at_child
from services.device_sim.sound import speech_wav
from tests.integration.device_sim.api_server import Server, mother_of
from tests.support.sounds import duration_ms, encoded

WEBM = encoded("webm", 2.0)
# Some parts of 64 KiB.
LONG = speech_wav(12.0, seed=3)


class Rough(httpx.AsyncHTTPTransport):
    """A network that carries every request, counts, and loses answers (or their ends) as long as it is told to."""

    def __init__(self, *, lost: int = 0, cut_after_bytes: int = 0) -> None:
        super().__init__()
        self.lost = lost
        self.cut_after_bytes = cut_after_bytes
        self.requests: list[tuple[str, str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        offset = request.headers.get("upload-offset") or request.headers.get("range") or ""
        answer = await super().handle_async_request(request)
        self.requests.append((request.method, request.url.path.rpartition("/")[2], offset))
        if request.method in {"POST", "PATCH"} and self.lost:
            self.lost -= 1
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("lost")
        if request.url.path.endswith("/audio") and self.cut_after_bytes:
            stream = answer.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            answer.stream = _Cut(stream, self.cut_after_bytes)
        return answer

    def of(self, method: str) -> list[str]:
        return [offset for used, _, offset in self.requests if used == method]


class _Cut(httpx.AsyncByteStream):
    """The beginning of a stream, and then no network."""

    def __init__(self, whole: httpx.AsyncByteStream, left_bytes: int) -> None:
        self._whole = whole
        self._left_bytes = left_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._whole:
            yield piece[: self._left_bytes]
            self._left_bytes -= len(piece)
            if self._left_bytes <= 0:
                raise httpx.ReadError("cut")

    async def aclose(self) -> None:
        await self._whole.aclose()


async def test_a_recording_whose_answer_was_lost_is_there_once_with_its_voice(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    async with SimParent(server.url, tmp_path, transport=Rough(lost=2)) as mother:
        sent = await mother.voice.speak(child_id, WEBM, "audio/webm")
        assert (sent.kind, state_at_child(sent), mother.waiting()) == ("voice", "queued", [])
        (message,) = await mother.history(child_id)
        assert message.voice is not None
        assert (message.voice.state, message.voice.bytes, message.voice.kept) == ("ready", len(WEBM), False)
        assert abs((message.voice.duration_ms or 0) - 2000) < 60
        assert message.voice.bars is not None
        assert (len(message.voice.bars), max(message.voice.bars)) == (44, 100)
        for kept in (True, False):
            answer = await mother.voice.keep(child_id, message.message_id, kept=kept)
            assert answer.voice is not None
            assert answer.voice.kept is kept
        assert [(count.child_id, count.unread, count.unplayed) for count in await mother.voice.unread()] == [
            (child_id, 0, 0)
        ]


async def test_a_recording_made_while_the_server_is_away_is_sent_after_a_restart_once(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    await server.stop()
    async with SimParent(server.url, tmp_path) as mother:
        with pytest.raises(ServerAwayError):
            await mother.voice.speak(child_id, WEBM, "audio/webm", timeout_s=0.1)
        with pytest.raises(ServerAwayError):
            await mother.voice.speak_in_parts(child_id, LONG, "audio/wav", timeout_s=0.1)
        with pytest.raises(ServerAwayError):
            await mother.write(child_id, "and a word", timeout_s=0.1)
    async with SimParent(server.url, tmp_path) as mother:
        assert [(waiter.media_type, waiter.in_parts) for waiter in mother.waiting()] == [
            ("audio/webm", False), ("audio/wav", True), (None, False),
        ]  # fmt: skip
        await server.start()
        sent = await mother.send_waiting()
        assert [message.kind for message in sent] == ["voice", "voice", "text"]
        assert [message.voice.bytes if message.voice else 0 for message in sent] == [len(WEBM), len(LONG), 0]
        assert (len(await mother.history(child_id)), mother.waiting()) == (3, [])


class LosesParts(Rough):
    """Carries each part, and loses what is said to it."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.lost = 1 if request.method == "PATCH" else 0
        return await super().handle_async_request(request)


async def test_parts_that_arrived_are_not_sent_again_also_after_a_restart(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    first, second, third = LosesParts(), LosesParts(), Rough()
    async with SimParent(server.url, tmp_path, transport=first) as mother:
        with pytest.raises(ServerAwayError):
            await mother.voice.speak_in_parts(child_id, LONG, "audio/wav", timeout_s=0.1)
    async with SimParent(server.url, tmp_path, transport=second) as mother:
        with pytest.raises(ServerAwayError):
            await mother.send_waiting(timeout_s=0.1)
    async with SimParent(server.url, tmp_path, transport=third) as mother:
        (sent,) = await mother.send_waiting()
        assert sent.voice is not None
        assert sent.voice.bytes == len(LONG)
        assert [message.message_id for message in await mother.history(child_id)] == [sent.message_id]
    assert [rough.of("PATCH") for rough in (first, second, third)] == [["0"], ["65536"], ["131072"]]


class SaysOnce(httpx.AsyncHTTPTransport):
    """A server that gives one answer of its own to the first request of a method, and forgets nothing."""

    def __init__(self, method: str, status: int, problem: dict[str, object]) -> None:
        super().__init__()
        self._method = method
        self._answer: httpx.Response | None = httpx.Response(status, json=problem)
        self.offsets: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.offsets.append(request.headers["upload-offset"])
        if request.method == self._method and self._answer is not None:
            answer, self._answer = self._answer, None
            return answer
        return await super().handle_async_request(request)


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (409, {"code": "upload_offset_differs", "detail": "Go on.", "offset": 0}),
        (404, {"code": "not_found", "detail": "There is no such upload."}),
    ],
)
async def test_the_server_tells_where_an_upload_goes_on_and_one_that_is_gone_begins_anew(
    server: Server, database: Database, tmp_path: Path, status: int, problem: dict[str, object]
) -> None:
    async with mother_of(server, database, tmp_path) as (_, child_id):
        pass
    refusing = SaysOnce("PATCH", status, problem)
    async with SimParent(server.url, tmp_path, transport=refusing) as mother:
        sent = await mother.voice.speak_in_parts(child_id, LONG, "audio/wav")
        assert sent.voice is not None
        assert sent.voice.bytes == len(LONG)
    assert refusing.offsets == ["0", "0", "65536", "131072"]


async def test_what_is_refused_for_good_leaves_the_outbox(server: Server, database: Database, tmp_path: Path) -> None:
    async with mother_of(server, database, tmp_path) as (mother, child_id):
        for speak in (mother.voice.speak, mother.voice.speak_in_parts):
            with pytest.raises(ProblemError) as refused:
                await speak(child_id, b"no recording at all", "audio/webm")
            assert refused.value.code == "audio_not_readable"
        with pytest.raises(ProblemError) as too_large:
            await mother.voice.speak_in_parts(child_id, bytes(1024 * 1024 + 1), "audio/wav")
        assert too_large.value.status == 413
        assert mother.waiting() == []


async def test_a_download_goes_on_where_the_network_ended_it(
    server: Server, database: Database, tmp_path: Path
) -> None:
    async with mother_of(server, database, tmp_path) as (mother, child_id):
        sent = await mother.voice.speak(child_id, WEBM, "audio/webm")
        whole = await mother.voice.hear(child_id, sent.message_id)
    assert abs(duration_ms(whole) - 2000) < 100
    rough = Rough(cut_after_bytes=len(whole) * 2 // 3)
    async with SimParent(server.url, tmp_path, transport=rough) as mother:
        assert await mother.voice.hear(child_id, sent.message_id) == whole
        first, second = rough.of("GET")
        assert (first, second) == ("", f"bytes={len(whole) * 2 // 3}-")
        with pytest.raises(ProblemError) as unknown:
            await mother.voice.hear(child_id, child_id)
        assert unknown.value.status == 404
