"""Networks that are not well: between a phone and the API, between a watch and the broker."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Self

import httpx


class ComesAndGoes(httpx.AsyncHTTPTransport):
    """A network that is away while it is told to be, and loses an answer now and then although the request arrived."""

    def __init__(self, chance: random.Random, *, loses: float) -> None:
        super().__init__()
        self._chance = chance
        self.loses = loses
        self.is_away = False
        self.lost = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            self.lost += 1
            raise httpx.ConnectError("away")
        answer = await super().handle_async_request(request)
        if self._loses_an_answer():
            self.lost += 1
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("lost")
        return answer

    def _loses_an_answer(self) -> bool:
        """Return whether the answer is lost, with the network as it is by now."""
        return self.is_away or self._chance.random() < self.loses


class Cable:
    """A way to a port of this machine that can be cut after so many bytes, as when a child walks into a lift."""

    def __init__(self, port: int) -> None:
        self._to_port = port
        self._left_bytes: int | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self._carriers: set[asyncio.Task[None]] = set()
        self.is_cut = asyncio.Event()
        self.port = 0

    def cut_after(self, sent_bytes: int) -> None:
        """Cut it when this much more has gone up; nothing gets through until `mend`."""
        self._left_bytes = sent_bytes

    def mend(self) -> None:
        self._left_bytes = None
        self.is_cut.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._cut()
        await asyncio.gather(*self._carriers)
        await self._server.wait_closed()

    def _cut(self) -> None:
        self.is_cut.set()
        for end in self._ends:
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carriers.add(task)
        self._ends.add(writer)
        with contextlib.suppress(OSError):
            if not self.is_cut.is_set():
                there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
                self._ends.add(there_writer)
                await asyncio.gather(
                    self._copy(reader, there_writer, up=True), self._copy(there_reader, writer, up=False)
                )
        writer.transport.abort()
        self._carriers.discard(task)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(1024):
                if up and self._left_bytes is not None:
                    self._left_bytes -= len(piece)
                    if self._left_bytes <= 0:
                        self._cut()
                        break
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
        self._ends.discard(writer)


class MobileNetwork:
    """A way to a port of this machine that many phones share: so many bits a second, a delay, and pieces sent again."""

    def __init__(self, port: int, chance: random.Random, *, bit_s: float, delay_s: float, loss: float) -> None:
        self._to_port = port
        self._chance = chance
        self._byte_s = bit_s / 8
        self._delay_s = delay_s
        self._loss = loss
        # When the shared way is free again, for each direction.
        self._free_at_s = {"up": 0.0, "down": 0.0}
        self._carriers: set[asyncio.Task[None]] = set()
        self.carried_bytes = {"up": 0, "down": 0}
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carriers.add(task)
        task.add_done_callback(self._carriers.discard)
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
            try:
                await asyncio.gather(
                    self._copy(reader, there_writer, "up"), self._copy(there_reader, writer, "down")
                )  # fmt: skip
            finally:
                there_writer.transport.abort()
                writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str) -> None:
        """Carry pieces in order; reading goes on while earlier ones are on their way."""
        on_their_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                arrives_at_s, piece = await on_their_way.get()
                await asyncio.sleep(max(0.0, arrives_at_s - loop.time()))
                if not piece:
                    writer.transport.abort()
                    return
                writer.write(piece)
                await writer.drain()

        loop = asyncio.get_running_loop()
        delivering = asyncio.create_task(deliver())
        last_s = 0.0
        with contextlib.suppress(OSError):
            while piece := await reader.read(1460):
                self.carried_bytes[way] += len(piece)
                begins_s = max(loop.time(), self._free_at_s[way])
                self._free_at_s[way] = begins_s + len(piece) / self._byte_s
                # What is lost is sent again after two ways, and what follows waits for it.
                again_s = 2 * self._delay_s if self._chance.random() < self._loss else 0.0
                last_s = max(last_s, self._free_at_s[way] + self._delay_s + again_s)
                await on_their_way.put((last_s, piece))
                # As a window does: no more than two seconds of the shared way wait for one connection.
                await asyncio.sleep(max(0.0, self._free_at_s[way] - loop.time() - 2.0))
        await on_their_way.put((last_s, b""))
        with contextlib.suppress(OSError):
            await delivering
