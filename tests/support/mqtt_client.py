"""A client of the broker as tests need it: it keeps what it heard, and knows when it was thrown out."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import aiomqtt

from services.broker.probe import probe_login

HEARD_WITHIN_S = 30.0


class MqttClient:
    """One connection. What arrives is kept in order, as (topic, payload)."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._thrown_out = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            async for message in self._client.messages:
                payload = message.payload
                assert isinstance(payload, bytes)
                # Sound is no text: what does not decode can be encoded back to what it was.
                self._heard.put_nowait((str(message.topic), payload.decode("utf-8", "surrogateescape")))
        except aiomqtt.MqttError:
            self._thrown_out.set()

    @property
    def connected(self) -> bool:
        """False once the broker has closed the connection."""
        return not self._thrown_out.is_set()

    async def subscribe(self, *filters: str) -> None:
        """Subscribe with QoS 1 and wait for SUBACK; a refusal in it is not looked at, only what arrives counts."""
        for filter_ in filters:
            await self._client.subscribe(filter_, qos=1)

    async def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for PUBACK; aiomqtt.MqttError when thrown out for it."""
        sending = asyncio.create_task(self._client.publish(topic, payload, qos=1, retain=retain))
        thrown_out = asyncio.create_task(self._thrown_out.wait())
        await asyncio.wait({sending, thrown_out}, return_when=asyncio.FIRST_COMPLETED)
        thrown_out.cancel()
        if not sending.done():
            sending.cancel()
            message = "thrown out"
            raise aiomqtt.MqttError(message)
        await sending

    async def hears(self, within_s: float = HEARD_WITHIN_S) -> tuple[str, str]:
        """Return the next message, as (topic, payload)."""
        return await asyncio.wait_for(self._heard.get(), within_s)

    async def heard_before(self, last: tuple[str, str]) -> list[tuple[str, str]]:
        """Return everything that arrived before ``last``, which was sent after all that should not arrive."""
        heard = []
        while (message := await self.hears()) != last:
            heard.append(message)
        return heard

    async def is_thrown_out(self, within_s: float = HEARD_WITHIN_S) -> None:
        """Wait until the broker closes the connection."""
        await asyncio.wait_for(self._thrown_out.wait(), within_s)

    async def drop(self) -> None:
        """Stop listening."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)


@contextlib.asynccontextmanager
async def connected(
    port: int,
    username: str | None,
    password: str | None,
    *,
    client_id: str | None = None,
    clean_session: bool = True,
    will: aiomqtt.Will | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[MqttClient]:
    """Connect with MQTT 3.1.1 for the block; aiomqtt.MqttError when the login is refused.

    Being thrown out during the block is no error: a client has to cope with it.
    """
    stack = contextlib.AsyncExitStack()
    client = await stack.enter_async_context(
        aiomqtt.Client(
            host,
            port,
            username=username,
            password=password,
            identifier=client_id if client_id is not None else username,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=clean_session,
            will=will,
            tls_context=tls,
            timeout=60,
        )
    )
    ours = MqttClient(client)
    try:
        yield ours
    finally:
        await ours.drop()
        with contextlib.suppress(aiomqtt.MqttError):
            await stack.aclose()


async def refused(port: int, username: str | None, password: str | None, **options: object) -> bool:
    """Tell whether a login is refused; who is let in under a watch's name throws out that watch."""
    if username is not None and password is not None and not options:
        return await probe_login("127.0.0.1", port, username, password, tls=False) != 0
    try:
        async with connected(port, username, password, **options):  # type: ignore[arg-type]
            return False
    except aiomqtt.MqttError:
        return True
