"""The framework sends nothing about requests to a collector, whatever the environment of the process names."""

from __future__ import annotations

import httpx
import opentelemetry._logs
import opentelemetry.metrics
import opentelemetry.trace
import pytest

from services.api.app import create_app
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings


class Collector:
    """Stands for any provider of spans, metrics and log records, and counts who asks for one."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> object:
        self.asked.append(name)
        raise AttributeError(name)


async def test_no_span_metric_or_record_leaves_the_api(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector = Collector()
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setattr(opentelemetry.trace, "get_tracer_provider", lambda: collector)
    monkeypatch.setattr(opentelemetry.metrics, "get_meter_provider", lambda: collector)
    monkeypatch.setattr(opentelemetry._logs, "get_logger_provider", lambda: collector)  # noqa: SLF001 - the API's own name
    app = create_app(settings, database)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.post("/v1/auth/codes", json={"phone": 12})).status_code == 422
    assert collector.asked == []
