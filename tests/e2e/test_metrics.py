"""Each process tells its numbers, and no label or number names anybody."""

from __future__ import annotations

import re

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.core.platform.metrics.registry import declared_labels
from services.devstack.installation import PROCESSES
from tests.e2e.conftest import Play, pair

# Values of gauges' labels: words of ours, versions, bounds of histograms, templates of routes. No id, number or name.
WORDS = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,40}|[0-9]+\.[0-9.a-z]+|\+Inf|/[a-z0-9_{}/.:-]*|[2-5]xx")
LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}-|[0-9]{5}|w-[0-9a-z]|\+[0-9]{3}")
OF_EACH: dict[str, set[str]] = {
    "api": {"smartwatch_http_requests", "smartwatch_http_seconds", "smartwatch_event_streams"},
    "bridge": {"smartwatch_uplink_seconds", "smartwatch_receipts", "smartwatch_uplink_backlog_messages"},
    "worker": {
        "smartwatch_outbox_waiting",
        "smartwatch_inbox_oldest_seconds",
        "smartwatch_sms",
        "smartwatch_push_notes",
    },
    "broker": {"smartwatch_watches_connected", "smartwatch_gate_pending", "smartwatch_broker_session_bytes"},
}
OF_ALL = {"smartwatch_build_info", "smartwatch_disk_free_bytes", "process_open_fds", "process_max_fds"}


async def test_no_label_of_any_process_names_anybody(play: Play) -> None:
    home = await play.home()
    async with (
        play.watch(home) as watch,
        play.parent(home.phone) as parent,
        httpx.AsyncClient(base_url=play.installation.api_url) as stranger,
    ):
        await pair(watch, parent, str(home.child_id))
        await parent.write(str(home.child_id), "counted")
        await watch.wait_for("received", text="counted")
        await watch.wait_stored(watch.write("family", "counted as well"))
        await stranger.get(f"/v1/children/{home.child_id}")
        await stranger.get(f"/{home.serial}/{home.phone}")
        body = {"challenge_id": str(home.child_id), "challenge_secret": "x" * 22, "phone": home.phone, "code": "123456"}
        refused = await stranger.post("/v1/auth/tokens", json=body)
        assert refused.status_code in {403, 422}
        pages = {}
        for process in PROCESSES:
            port = play.installation.ports[f"{process}_health_port"]
            pages[process] = (await stranger.get(f"http://127.0.0.1:{port}/metrics")).text
        ready = {
            (await stranger.get(f"http://127.0.0.1:{play.installation.ports[f'{process}_health_port']}/readyz")).text
            for process in PROCESSES
        }
        public = await stranger.get("/metrics")
    assert public.status_code == 404
    assert all(
        re.match(r'\{"status": "ok", "checks": \{.*\}, "own_fault": \[\], "warnings": \{\}\}$', body) for body in ready
    )
    for process, text in pages.items():
        families = list(text_string_to_metric_families(text))
        assert {family.name for family in families} >= OF_ALL | OF_EACH[process], process
        assert not any(secret in text for secret in (home.serial, home.phone, str(home.child_id), str(home.family_id)))
        for family in families:
            for sample in family.samples:
                for label, value in sample.labels.items():
                    declared = declared_labels().get(family.name, {}).get(label)
                    assert WORDS.fullmatch(value), (family.name, label, value)
                    assert label in {"version", "le"} or not LOOKS_LIKE_AN_ID.search(value), (family.name, label, value)
                    assert label == "route" or declared is None or value in {*declared, "other"}
    assert 'smartwatch_logins_refused_total{face="family"}' in pages["api"]
    assert 'smartwatch_http_requests_total{method="GET",route="/v1/children/{child_id}",status="4xx"}' in pages["api"]
    assert 'smartwatch_http_requests_total{method="GET",route="other",status="4xx"}' in pages["api"]
    stored = next(
        line for line in pages["bridge"].splitlines() if line.startswith('smartwatch_receipts_total{code="stored"')
    )
    assert float(stored.rpartition(" ")[2]) >= 1
