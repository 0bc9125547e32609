"""The examples of proxies: nginx accepts its own, and both treat streams, uploads and addresses as the API needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.api.body_limits import LIST_BODY_MAX_BYTES, RECORDING_BODY_MAX_BYTES
from services.broker.certificates import development_certificates
from services.core.platform.settings import Environment, Settings
from tests.support.api_routes import app_without_database, declared_routes
from tests.support.debian_programs import program

FOLDER = Path(__file__).parents[3] / "infra" / "proxy"
NGINX = (FOLDER / "nginx.conf").read_text()
CADDY = (FOLDER / "Caddyfile").read_text()


def test_nginx_accepts_the_example(tmp_path: Path) -> None:
    nginx = program("nginx", "nginx")
    files = development_certificates(tmp_path / "certificates", "api.example.org")
    text = re.sub(r"ssl_certificate [^;]+", f"ssl_certificate {files.certificate_file}", NGINX)
    text = re.sub(r"ssl_certificate_key [^;]+", f"ssl_certificate_key {files.key_file}", text)
    # Ports that a normal user may open.
    text = text.replace("listen 80;", "listen 127.0.0.1:20080;").replace("listen 443 ssl", "listen 127.0.0.1:20443 ssl")
    paths = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ {paths} access_log off;\n{text}\n}}\n"
    )
    done = nginx.run("-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr")
    assert "test is successful" in done.stderr, done.stderr
    assert "[warn]" not in done.stderr.replace('the "listen ... http2"', ""), done.stderr


def test_streams_are_never_buffered_and_addresses_are_appended() -> None:
    paths = {route.path for route in declared_routes(app_without_database())}
    [stream] = re.findall(r"location = (/v1/\S+) \{(.*?)\}", NGINX, re.DOTALL)
    assert stream[0] in paths
    assert "proxy_buffering off;" in stream[1]
    # Twice the pause between two comments and more.
    assert int(re.findall(r"proxy_read_timeout (\d+)s", stream[1])[0]) >= 60
    assert NGINX.count("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;") == NGINX.count("proxy_pass ")
    assert "flush_interval -1" in CADDY


def test_uploads_pass_and_idle_connections_end_at_the_proxy_first() -> None:
    keep_alive_s = Settings(environment=Environment.TEST).api_keep_alive_s
    largest = max(RECORDING_BODY_MAX_BYTES, LIST_BODY_MAX_BYTES)
    assert int(re.findall(r"client_max_body_size (\d+)m", NGINX)[0]) * 1024 * 1024 >= largest
    assert int(re.findall(r"max_size (\d+)MB", CADDY)[0]) * 1_000_000 >= largest
    assert int(re.findall(r"keepalive_timeout (\d+)s", NGINX)[0]) < keep_alive_s
    assert int(re.findall(r"keepalive (\d+)s", CADDY)[0]) < keep_alive_s
    assert "proxy_request_buffering off;" in NGINX


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_pages_for_operators_are_not_published(path: str) -> None:
    assert f"location = {path} {{ return 404; }}" in NGINX
    [inside] = re.findall(r"@inside path (.*)", CADDY)
    assert path in inside.split()
