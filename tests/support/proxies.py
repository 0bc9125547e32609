"""The examples of infra/proxy, played by nginx and Caddy of Debian in front of an API of a test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.broker.certificates import Certificates, development_certificates
from services.devstack.tied import start_child, stop_child, tied
from tests.support.debian_programs import program
from tests.support.ports import claimed_ports

FOLDER = Path(__file__).parents[2] / "infra" / "proxy"
HOST = "api.example.org"
# Not 127.0.0.1, which is the proxy's: it is trusted, and a phone is not.
PHONE = "127.0.0.2"
READY_WITHIN_S = 30.0


@dataclass(frozen=True)
class Proxy:
    """A running proxy, and what a phone needs to reach it."""

    http_port: int
    https_port: int
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        """The address by a name that the certificate has beside that of the example."""
        return f"https://localhost:{self.https_port}"

    def phone(self) -> httpx.AsyncClient:
        """Return a phone's client: it checks the certificate and asks for the host of the example."""
        transport = _NamedHost(httpx.AsyncHTTPTransport(verify=self.trust, local_address=PHONE))
        return httpx.AsyncClient(base_url=f"https://127.0.0.1:{self.https_port}", transport=transport, timeout=30)


class _NamedHost(httpx.AsyncBaseTransport):
    """Asks for HOST at whatever address is connected to, as a phone does with the address that DNS names."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Host"] = HOST
        request.extensions = {**request.extensions, "sni_hostname": HOST}
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextlib.asynccontextmanager
async def running_proxy(kind: str, folder: Path, api_port: int) -> AsyncIterator[Proxy]:
    """Run the example for `nginx` or `caddy` with its ports and certificate replaced, and nothing else."""
    files = development_certificates(folder / "certificates", HOST)
    with claimed_ports() as claim_port:
        http_port, https_port = claim_port(), claim_port()
        make = {"nginx": _nginx, "caddy": _caddy}[kind]
        command, environment = make(folder, files, (http_port, https_port, api_port))
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(files.ca_file)
        log_file = folder / f"{kind}.log"
        with log_file.open("wb") as log:
            child = start_child(tied(command, signal.SIGTERM), log=log, environment=os.environ | environment)
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await _listens(https_port):
                    assert child.poll() is None, log_file.read_text()[-2000:]
                    await asyncio.sleep(0.02)
            yield Proxy(http_port, https_port, trust)
        finally:
            await asyncio.to_thread(stop_child, child, (signal.SIGTERM, 5.0))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _nginx(folder: Path, files: Certificates, ports: tuple[int, int, int]) -> tuple[list[str], dict[str, str]]:
    nginx = program("nginx", "nginx")
    text = nginx_example(files, ports)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    file = folder / "nginx.conf"
    file.write_text(
        f"pid {folder}/pid;\ndaemon off;\nmaster_process off;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ {paths} access_log off;\n{text}\n}}\n"
    )
    return [str(nginx.path), "-p", str(folder), "-c", str(file), "-e", "stderr"], _libraries(nginx.libraries)


def nginx_example(files: Certificates, ports: tuple[int, int, int]) -> str:
    """Return the example for ports that a normal user may open, and for a certificate that there is."""
    http_port, https_port, api_port = ports
    text = (FOLDER / "nginx.conf").read_text()
    text = re.sub(r"ssl_certificate [^;]+", f"ssl_certificate {files.certificate_file}", text)
    text = re.sub(r"ssl_certificate_key [^;]+", f"ssl_certificate_key {files.key_file}", text)
    text = text.replace("server 127.0.0.1:8080;", f"server 127.0.0.1:{api_port};")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{http_port};")
    return text.replace("listen 443 ssl", f"listen 127.0.0.1:{https_port} ssl")


def _caddy(folder: Path, files: Certificates, ports: tuple[int, int, int]) -> tuple[list[str], dict[str, str]]:
    caddy = program("caddy", "caddy")
    http_port, https_port, api_port = ports
    text = (FOLDER / "Caddyfile").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{api_port}")
    # No authority outside is asked for a certificate.
    text = re.sub(
        r"^(\w+\.example\.org) \{", rf"\1 {{\n\ttls {files.certificate_file} {files.key_file}", text, flags=re.MULTILINE
    )
    file = folder / "Caddyfile"
    options = f"admin off\nhttp_port {http_port}\nhttps_port {https_port}\ndefault_bind 127.0.0.1\n"
    file.write_text(f"{{\n{options}}}\n{text}")
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return [str(caddy.path), "run", "--adapter", "caddyfile", "--config", str(file)], own


def _libraries(folders: list[Path]) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))} if folders else {}
