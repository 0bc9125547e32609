"""Mosquitto's configuration file, rendered from the one template that is used everywhere."""

from __future__ import annotations

import string
from dataclasses import dataclass
from pathlib import Path

# Folder mosquitto/ of the checkout: the template and the packaged access file.
SHIPPED = Path(__file__).resolve().parents[2] / "mosquitto"


@dataclass(frozen=True)
class BrokerConfiguration:
    """The values that differ between machines. Port 0 omits a watches' listener; at least one of the two is needed."""

    folder: Path
    backend_port: int
    backend_bind: str = "127.0.0.1"
    tls_port: int = 0
    watch_bind: str = "127.0.0.1"
    plain_port: int = 0
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.tls_port and not self.plain_port:
            raise ValueError("the broker needs a listener for watches: tls_port or plain_port")
        if self.tls_port and (self.certificate_file is None or self.key_file is None):
            raise ValueError("the TLS listener needs certificate_file and key_file")


def render_configuration(configuration: BrokerConfiguration) -> str:
    """Return the text of mosquitto.conf; every path in it is relative to the broker's folder."""
    template = string.Template((SHIPPED / "mosquitto.conf.in").read_text(encoding="utf-8"))
    return template.substitute(
        backend_port=configuration.backend_port,
        backend_bind=configuration.backend_bind,
        tls="" if configuration.tls_port else "# not here: ",
        tls_port=configuration.tls_port,
        watch_bind=configuration.watch_bind,
        plain="" if configuration.plain_port else "# not here: ",
        plain_port=configuration.plain_port,
    )


def render_reload_configuration(configuration: BrokerConfiguration) -> str:
    """Return the configuration that Mosquitto reads at SIGHUP: the same, without its listeners.

    Mosquitto 2.0.11 resets options of a listener that it reads again, `max_qos` among them, and applies none of them
    then. Options of listeners that it does not read again stay as they were at its start.
    """
    return render_configuration(configuration).partition("\nlistener ")[0] + "\n"


def local_host(bind: str) -> str:
    """Return the address of this machine at which a listener bound to ``bind`` is reached."""
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - not binding
