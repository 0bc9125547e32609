"""What phones read, over HTTP with real tokens: many guardians in turns, a few requests at a time."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Final

from tests.bench.end_to_end.crowd import Person
from tests.bench.end_to_end.loads import Measured, Side, measure

_AT_A_TIME: Final = 4
OfPerson = Callable[[Person], str]


class _Phone:
    """A connection that is kept between requests."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> _Phone:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str, token: str) -> int:
        """Return the status of the answer, whose body is read to its end."""
        head = f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
        self._writer.write(head.encode())
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length: ")[1].split(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(answer.split(b" ")[1])

    def close(self) -> None:
        self._writer.close()


async def gets(side: Side, people: Sequence[Person], *, path: OfPerson, seconds: float) -> Measured:
    """Read for a while; each latency is that of one request."""
    measured = Measured()
    phones = [await _Phone.connect(side.http_port) for _ in range(_AT_A_TIME)]
    turns = itertools.cycle(people)
    for phone in phones:
        for _ in range(3):  # statements are prepared
            await phone.get(path(people[0]), side.tokens[people[0].username])
    until = time.perf_counter() + seconds

    async def go_on(phone: _Phone) -> None:
        while time.perf_counter() < until:
            person = next(turns)
            began = time.perf_counter()
            status = await phone.get(path(person), side.tokens[person.username])
            measured.latencies_s.append(time.perf_counter() - began)
            measured.count += 1
            measured.faults += status != 200

    await measure(side, measured, asyncio.gather(*map(go_on, phones)))
    for phone in phones:
        phone.close()
    return measured
