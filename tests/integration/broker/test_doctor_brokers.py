"""The doctor asks an external broker who may come and hear."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr

from services.core.platform.settings import Settings
from services.devstack.doctor_brokers import Answers, brokers, judge
from tests.integration.broker.conftest import BACKEND_PASSWORD, Broker

PLACE = ("mq1.example.org", 1884)


def _settings(port: int, password: str = BACKEND_PASSWORD) -> Settings:
    return Settings(
        broker="external", broker_addresses=f"127.0.0.1:{port}", mqtt_backend_password=SecretStr(password)
    )  # fmt: skip


async def test_a_broker_that_asks_nobody_about_subscriptions_is_found(broker: Broker) -> None:
    """Mosquitto is such a broker: it grants what it then does not deliver."""
    (finding,) = await brokers(_settings(broker.backend_port))
    assert not finding.ok
    assert finding.what == f"127.0.0.1:{broker.backend_port} grants a subscription to everything"


async def test_a_broker_that_refuses_the_backend_is_found(broker: Broker) -> None:
    (finding,) = await brokers(_settings(broker.backend_port, "another password"))
    assert not finding.ok
    assert finding.what.endswith("refuses the backend's user")
    assert "SMARTWATCH_MQTT_BACKEND_PASSWORD" in finding.mend


async def test_an_address_where_no_broker_answers_is_found(claim_port: Callable[[], int]) -> None:
    (finding,) = await brokers(_settings(claim_port()))
    assert not finding.ok
    assert finding.what.endswith("does not answer over MQTT 5")


async def test_the_broker_of_this_machine_is_not_asked() -> None:
    assert await brokers(Settings()) == []


def test_whoever_lets_strangers_in_is_no_broker_for_children() -> None:
    finding = judge(PLACE, Answers(lets_backend_in=True, lets_stranger_in=True, lets_backend_hear_everything=False))
    assert not finding.ok
    assert finding.what == "mq1.example.org:1884 lets in whoever has a wrong password"
    assert judge(PLACE, Answers(lets_backend_in=True, lets_stranger_in=False, lets_backend_hear_everything=False)).ok
