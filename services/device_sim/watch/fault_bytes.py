"""Faults of bytes: a slow network, a half-open connection, a cut in the middle of a packet."""

from __future__ import annotations

import asyncio
import contextlib

from services.device_sim.watch.line import ByteReader, ByteWriter

_PIECE_BYTES = 256


class Bottleneck:
    """The link that the bytes of a watch pass. Its switches reach the connection that is open."""

    def __init__(self) -> None:
        self.bytes_s: int | None = None
        self.latency_s = 0.0
        self._passes = asyncio.Event()
        self._passes.set()
        self._cuts_next = False
        self._writer: ByteWriter | None = None

    def set_half_open(self, *, is_half_open: bool) -> None:
        """Let nothing pass; afterwards what was not written is lost, and what was not read comes."""
        if is_half_open:
            self._passes.clear()
        else:
            self._passes.set()

    @property
    def is_half_open(self) -> bool:
        """Whether nothing passes."""
        return not self._passes.is_set()

    def cut_next(self) -> None:
        """End the connection in the middle of the next write."""
        self._cuts_next = True

    def abort(self) -> None:
        """End the connection that is open."""
        if self._writer is not None:
            self._writer.transport.abort()

    def takes_cut(self) -> bool:
        """Return whether this write is the one to be cut; the next is not."""
        cuts, self._cuts_next = self._cuts_next, False
        return cuts

    async def wait_passes(self) -> None:
        """Return once bytes pass."""
        await self._passes.wait()

    def through(self, reader: ByteReader, writer: ByteWriter) -> tuple[ByteReader, ByteWriter]:
        """Return streams that pass the bottleneck."""
        self._writer = writer
        return _SlowReader(reader, self), _SlowWriter(writer, self)


class _SlowReader:
    def __init__(self, inner: ByteReader, bottleneck: Bottleneck) -> None:
        self._inner = inner
        self._bottleneck = bottleneck

    async def readexactly(self, n: int, /) -> bytes:
        data = await self._inner.readexactly(n)
        await self._bottleneck.wait_passes()
        if self._bottleneck.bytes_s is not None:
            await asyncio.sleep(n / self._bottleneck.bytes_s)
        return data


class _SlowWriter:
    """Writes at once while nothing is slow; else a task writes piece by piece, in order."""

    def __init__(self, inner: ByteWriter, bottleneck: Bottleneck) -> None:
        self._inner = inner
        self._bottleneck = bottleneck
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None

    @property
    def transport(self) -> asyncio.WriteTransport:
        return self._inner.transport

    def write(self, data: bytes, /) -> None:
        bottleneck = self._bottleneck
        if bottleneck.takes_cut():
            self._inner.write(data[: len(data) // 2])
            # Closed and not aborted: the half of the packet has to arrive.
            self._inner.close()
            return
        if bottleneck.is_half_open:
            return
        if self._pump is None and bottleneck.bytes_s is None and not bottleneck.latency_s:
            self._inner.write(data)
            return
        self._waiting.put_nowait(data)
        if self._pump is None:
            self._pump = asyncio.create_task(self._write_slowly())

    async def _write_slowly(self) -> None:
        while not self._waiting.empty():
            data = self._waiting.get_nowait()
            await asyncio.sleep(self._bottleneck.latency_s)
            for place in range(0, len(data), _PIECE_BYTES):
                piece = data[place : place + _PIECE_BYTES]
                if self._bottleneck.bytes_s is not None:
                    await asyncio.sleep(len(piece) / self._bottleneck.bytes_s)
                if not self._bottleneck.is_half_open:
                    self._inner.write(piece)
        self._pump = None

    async def drain(self) -> None:
        await self._inner.drain()

    def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
        self._inner.close()

    async def wait_closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._inner.wait_closed()
