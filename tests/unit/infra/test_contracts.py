"""Each import contract of pyproject.toml notices a forbidden import: one is planted in every wall."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

CHECKOUT = Path(__file__).parents[3]
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["name"]: contract
    for contract in tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
KINDS: dict[str, type[Contract]] = {"layers": LayersContract, "forbidden": ForbiddenContract}

# A contract's name, the importer and what it must not import. A contract without a line here fails the first test.
PLANTS = [
    ("faces stand on core, and no face imports another", "services.core.platform.clock", "services.api.app"),
    (
        "faces stand on core, and no face imports another",
        "services.watch_link.rates",
        "services.mqtt_bridge.connection",
    ),
    ("faces stand on core, and no face imports another", "services.worker.main", "services.api.app"),
    ("the pages know nothing of the product", "services.web.serving", "services.core.platform.clock"),
    (
        "core imports no face, no web framework, no MQTT library and no wire format",
        "services.core.pairing.rules",
        "fastapi",
    ),
    (
        "core imports no face, no web framework, no MQTT library and no wire format",
        "services.core.pairing.rules",
        "services.protocol.words",
    ),
    ("the protocol is pure", "services.protocol.words", "sqlmodel"),
    (
        "the simulated watch and parent import the protocol only",
        "services.device_sim.watch.watch",
        "services.core.platform.clock",
    ),
    ("only the faces that speak to watches import the wire format", "services.worker.main", "services.protocol.words"),
    (
        "an MQTT library serves the doctor and tests, nothing on a message's way",
        "services.mqtt_bridge.connection",
        "aiomqtt",
    ),
    *(
        ("staff routes import nothing that holds content, places or contacts", importer, imported)
        for importer in ("services.api.staff.access", "services.api.staff.routes.me", "services.api.staff.schemas.care")
        for imported in (
            "services.core.conversation.messages.queries",
            "services.core.location.checkins.queries",
            "services.core.devices.contacts.queries",
            "services.core.devices.alerts.queries",
            "services.core.platform.inbox.actions",
            "services.core.platform.blobs.store",
            "services.core.pairing.queries",
            "services.api.family.access",
        )
    ),
    (
        "the office imports neither conversation nor location",
        "services.core.office.triage.queries",
        "services.core.location.checkins.queries",
    ),
    (
        "the office imports neither conversation nor location",
        "services.core.office.notices.actions",
        "services.core.conversation.messages.queries",
    ),
    (
        "the office imports of pairing only its end",
        "services.core.office.triage.queries",
        "services.core.pairing.queries",
    ),
    (
        "areas of core import downwards only",
        "services.core.people.households.queries",
        "services.core.office.triage.queries",
    ),
    (
        "areas of core import downwards only",
        "services.core.conversation.messages.queries",
        "services.core.location.checkins.queries",
    ),
    (
        "areas of core import downwards only",
        "services.core.office.triage.queries",
        "services.core.measurement.indicators.rules",
    ),
    (
        (
            "inside people: staff accounts on questions on households on privacy notices on programme on consents "
            "on accounts"
        ),
        "services.core.people.accounts.queries",
        "services.core.people.households.queries",
    ),
    (
        "inside devices: number changes and alerts on push on contacts on what a watch is",
        "services.core.devices.watches.queries",
        "services.core.devices.alerts.queries",
    ),
    (
        "inside conversation: messages on audio assets",
        "services.core.conversation.audio_assets.playable",
        "services.core.conversation.messages.queries",
    ),
    (
        "inside office: enrolment and papers on hand-outs on registration",
        "services.core.office.registration.actions",
        "services.core.office.enrolment.actions",
    ),
    (
        "inside platform: domain records on the outbox on the database on pure parts",
        "services.core.platform.outbox.actions",
        "services.core.platform.inbox.actions",
    ),
    ("rules and errors import no database", "services.core.pairing.rules", "sqlalchemy"),
]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    configuration.configure()
    return grimp.build_graph("services", include_external_packages=True, cache_dir=None)


def _holds(name: str, graph: grimp.ImportGraph) -> bool:
    options = {
        key: str(value) if isinstance(value, bool) else value
        for key, value in CONTRACTS[name].items()
        if key not in {"name", "type"}
    }
    contract = KINDS[CONTRACTS[name]["type"]](
        name,
        session_options={"root_packages": ["services"], "include_external_packages": "True"},
        contract_options=options,
    )
    return contract.check(graph, verbose=False).kept


def test_every_contract_has_a_plant() -> None:
    assert {name for name, _, _ in PLANTS} == set(CONTRACTS)


@pytest.mark.parametrize(("name", "importer", "imported"), PLANTS)
def test_a_planted_import_breaks_its_contract(
    name: str, importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    assert importer in graph.modules
    assert imported in graph.modules or "services" not in imported
    planted = deepcopy(graph)
    if imported not in planted.modules:
        planted.add_module(imported, is_squashed=True)
    assert not planted.direct_import_exists(importer=importer, imported=imported)
    planted.add_import(importer=importer, imported=imported)
    assert not _holds(name, planted)
