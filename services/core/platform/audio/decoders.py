"""The owner's side of the template: decoders that are forked from it, killed through it, and known to have ended."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
from typing import Final, Self

from services.core.platform.audio.orders import ENDED, FORK, KILL, MESSAGE

# All decoders of a template have one address layout. A new template now and then, so that nothing learns it for long.
_FORKS_MAX: Final = 500


class Decoder:
    """A decoder that waits for its job."""

    def __init__(
        self, number: int, template: TemplateProcess, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.ended = asyncio.Event()
        self._number = number
        self._template = template

    @property
    def is_orphan(self) -> bool:
        """Whether the template has ended, and the process with it."""
        return not self._template.is_alive

    async def end(self, *, grace_s: float) -> None:
        """Wait until the process has ended, and kill it after ``grace_s`` seconds."""
        # Not closed yet: asyncio closes in the next turn of the loop, and the process waits for the end of its input.
        with contextlib.suppress(OSError):
            self.writer.write_eof()
        try:
            async with asyncio.timeout(grace_s):
                await self.ended.wait()
        except TimeoutError:
            self._template.kill(self._number)
            await self.ended.wait()
        finally:
            self.writer.transport.abort()


class TemplateProcess:
    """A running template."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._numbers = itertools.count()
        self._decoders: dict[int, Decoder] = {}
        self._forks_left = _FORKS_MAX
        self.is_alive = True
        asyncio.get_running_loop().add_reader(control, self._read)

    @classmethod
    async def start(cls, niceness: int = 0) -> Self:
        """Start one with this niceness, which its decoders inherit. It forks once its libraries are loaded."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", "services.core.platform.audio.template", str(niceness),
                stdin=its.fileno(), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                # The environment holds keys: a process that reads strangers' bytes gets an empty one.
                env={}, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            ours.close()
            raise
        finally:
            its.close()
        return cls(process, ours)

    @property
    def is_worn(self) -> bool:
        """Whether another template should take over: it has forked often enough, or it has ended."""
        return self._forks_left <= 0 or not self.is_alive

    @property
    def has_decoders(self) -> bool:
        """Whether decoders run that were forked from it."""
        return bool(self._decoders)

    async def fork(self) -> Decoder:
        """Return a new decoder; raises OSError when the template has ended."""
        if not self.is_alive:
            raise BrokenPipeError
        self._forks_left -= 1
        number = next(self._numbers)
        ours, its = socket.socketpair()
        with its:
            reader, writer = await asyncio.open_connection(sock=ours)
            decoder = Decoder(number, self, reader, writer)
            self._decoders[number] = decoder
            try:
                socket.send_fds(self._control, [MESSAGE.pack(FORK, number)], [its.fileno()])
            except OSError:
                self._note_end(number)
                writer.transport.abort()
                raise
        return decoder

    def kill(self, number: int) -> None:
        """Kill a decoder; one that has ended is left alone."""
        if number in self._decoders and self.is_alive:
            with contextlib.suppress(OSError):
                self._control.send(MESSAGE.pack(KILL, number))

    async def stop(self) -> None:
        """End it, and with it every decoder. A repeat does nothing."""
        self._lost()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _read(self) -> None:
        try:
            message = self._control.recv(MESSAGE.size)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if len(message) < MESSAGE.size:
            self._lost()
            return
        order, number = MESSAGE.unpack(message)
        if order == ENDED:
            self._note_end(number)

    def _note_end(self, number: int) -> None:
        decoder = self._decoders.pop(number, None)
        if decoder is not None:
            decoder.ended.set()

    def _lost(self) -> None:
        """Forget a template that has ended: its decoders end with it."""
        if self.is_alive:
            self.is_alive = False
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            for number in list(self._decoders):
                self._note_end(number)
