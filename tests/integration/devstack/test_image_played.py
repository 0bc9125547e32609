"""Each instruction of the image, played in a Debian 12 made for it; the product then runs as its user."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from services.core.platform.settings import Settings
from services.devstack.installation import CHECKOUT
from tests.support.debian_programs import program
from tests.support.ports import claimed_ports

# Packages of the base image: its Python is the one of Debian 12.
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
OF_THE_MACHINE = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
READY_WITHIN_S = 600.0
# Packages that the image of the backups adds.
PROGRAMS = (
    "import subprocess; from services.devstack.postgres_user import find_programs as found;"
    "print(subprocess.run([found() / 'pg_basebackup', '--version'], capture_output=True, text=True).stdout)"
)


@dataclass
class Stage:
    """One stage of the image: its root and what its instructions have set."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"}
    )
    workdir: str = "/"
    user: str = "root"
    entry: list[str] = field(default_factory=list)

    def command(self, words: list[str], further: Mapping[str, str] | None = None) -> list[str]:
        """Return a command that runs inside, with /proc and /dev that end with it."""
        environment = [f"{name}={value}" for name, value in {**self.environment, **(further or {})}.items()]
        inside = ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", "-C", self.workdir, *environment]
        mounts = f"mount -t proc proc {self.root}/proc && mount --bind /dev {self.root}/dev"
        return ["unshare", "--mount", "sh", "-c", f"{mounts} && exec {shlex.join([*inside, *words])}"]

    def run(self, words: list[str], further: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(self.command(words, further), capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout


def instructions() -> Iterator[tuple[str, str]]:
    text = (CHECKOUT / "infra" / "Dockerfile").read_text()
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def make_debian(root: Path) -> None:
    """Make a bare Debian 12 from the package sources of this machine."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n".join(path.read_text() for path in sources if path.is_file())
    mirror = re.search(r"https?://\S+/debian/?(?=\s|$)", text)
    debootstrap = program("debootstrap", "debootstrap")
    environment = {**os.environ, "DEBOOTSTRAP_DIR": str(debootstrap.path.parents[1] / "share" / "debootstrap")}
    command: list[str | Path] = [debootstrap.path, "--variant=minbase", f"--include={PACKAGES}", "bookworm", root]
    done = subprocess.run(  # noqa: S603 - Debian's own program
        [*command, *([mirror.group()] if mirror else [])], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in OF_THE_MACHINE:
        if Path("/", name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/", name), root / name)
    for folder in ("sources.list.d", "apt.conf.d", "trusted.gpg.d"):
        shutil.copytree(Path("/etc/apt", folder), root / "etc/apt" / folder, dirs_exist_ok=True)


def copy(words: list[str], stage: Stage, stages: Mapping[str, Stage]) -> None:
    *options, source, target = words
    place = stage.root / target.lstrip("/")
    origin = CHECKOUT / source
    if options:
        origin = stages[options[0].removeprefix("--from=")].root / source.lstrip("/")
    if options and origin.is_dir():
        # Over what an earlier stage has there, links included.
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", "--remove-destination", f"{origin}/.", place], check=True)  # noqa: S603, S607
    elif origin.is_dir():
        shutil.copytree(origin, place, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin, place)


def play(bare: Path, folder: Path) -> dict[str, Stage]:
    """Play every instruction in order and return the stages by name, the last one under ``""``."""
    stages: dict[str, Stage] = {}
    stage = Stage(bare)
    for name, rest in instructions():
        if name == "FROM":
            image, _, named = rest.partition(" AS ")
            before = stages.get(image, Stage(bare))
            root = folder / f"stage-{len(stages)}"
            subprocess.run(["cp", "-a", before.root, root], check=True)  # noqa: S603, S607 - owners and links as they are
            stage = stages[named] = replace(before, root=root, environment=dict(before.environment))
        elif name == "COPY":
            copy(rest.split(), stage, stages)
        else:
            PLAYED[name](stage, rest)
    return stages


def set_environment(stage: Stage, rest: str) -> None:
    for pair in shlex.split(rest):
        key, value = pair.split("=", 1)
        stage.environment[key] = value.replace("$PATH", stage.environment["PATH"])


def check_volumes(stage: Stage, rest: str) -> None:
    for volume in json.loads(rest):
        made = (stage.root / volume.lstrip("/")).stat()
        assert made.st_uid == 10001, f"a fresh volume at {volume} would belong to root"


def run_default(stage: Stage, rest: str) -> None:
    assert "smartwatch" in stage.run([*stage.entry, *json.loads(rest)]).lower()


PLAYED: Mapping[str, Callable[[Stage, str], object]] = {
    "RUN": lambda stage, rest: stage.run(["sh", "-c", rest]),
    "ENV": set_environment,
    "WORKDIR": lambda stage, rest: setattr(stage, "workdir", rest),
    "USER": lambda stage, rest: setattr(stage, "user", rest),
    "ENTRYPOINT": lambda stage, rest: setattr(stage, "entry", json.loads(rest)),
    "VOLUME": check_volumes,
    "CMD": run_default,
}


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_the_product_starts_from_the_image_as_its_user(tmp_path: Path, settings: Settings) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes a Debian in a folder: run it as root, with debootstrap")
    bare = tmp_path / "bare"
    await asyncio.to_thread(make_debian, bare)
    stages = await asyncio.to_thread(play, bare, tmp_path)
    image, backup = stages[""], stages["backup"]
    assert "18." in backup.run(["python", "-c", PROGRAMS])
    assert image.user == "smartwatch"
    assert image.run(["id", "-u"]).strip() == "10001"
    assert "mosquitto" in image.run(["find", "/usr/sbin", "-name", "mosquitto"])
    with claimed_ports() as claim_port:
        port = claim_port()
        further = {
            "SMARTWATCH_DATABASE_URL": settings.database_url,
            "SMARTWATCH_API_PORT": str(port),
            "SMARTWATCH_API_HEALTH_PORT": str(claim_port()),
            "SMARTWATCH_BLOB_URL": "file:/var/lib/smartwatch-blobs",
            "SMARTWATCH_ERASURE_LEDGER": "/var/lib/smartwatch-ledger/erasures.jsonl",
        }
        process = subprocess.Popen(image.command([*image.entry, "api"], further))  # noqa: ASYNC220, S603
        try:
            async with httpx.AsyncClient(timeout=30) as client, asyncio.timeout(READY_WITHIN_S):
                while not await _is_ready(client, port):
                    assert process.poll() is None
                    await asyncio.sleep(0.2)
                assert (await client.get(f"http://127.0.0.1:{port}/docs")).status_code == 200
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait, 30)


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False
