"""Networks between a simulated parent and the API that are not well."""

from __future__ import annotations

import random

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
        if self.is_away or self._chance.random() < self.loses:
            self.lost += 1
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadError("lost")
        return answer
