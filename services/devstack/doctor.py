"""`smartwatch doctor`: what is missing or wrong on this machine, and the remedy. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from services.broker.access import is_packaged_access
from services.broker.binary import find_mosquitto
from services.broker.gate import connections_within
from services.broker.sessions import STATE_ALARM_BYTES
from services.core.people.privacy_notices.queries import stated_notice
from services.core.people.privacy_notices.rules import missing_fields
from services.core.people.programme.queries import all_sites
from services.core.people.staff_accounts.queries import approvers_at
from services.core.people.staff_accounts.rules import APPROVERS_WANTED
from services.core.platform.audio.confinement import available_layers
from services.core.platform.clock import system_clock
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import is_newer, newest_revision
from services.core.platform.descriptors import attainable_descriptor_limit
from services.core.platform.erasure_ledger import ErasuresPendingError
from services.core.platform.settings import Environment, Settings
from services.devstack.doctor_brokers import brokers
from services.devstack.doctor_certificates import certificate_faults
from services.devstack.doctor_cluster import shared_parts
from services.devstack.doctor_processes import ports, processes, serves
from services.devstack.findings import Finding
from services.devstack.installation import CHECKOUT, PREFIX
from services.devstack.instance import is_running
from services.devstack.postgres_user import PostgresUnavailableError, find_server_user
from services.devstack.tied import can_tie
from services.worker.sms_providers.diagnosis import diagnose_routes, diagnose_templates
from services.worker.sms_providers.opening import open_router
from services.worker.sms_providers.templates import TemplatesBrokenError

OLDEST_PYTHON = (3, 11)
# A hard limit of 1,024 open files, as some systems set it, is found wrong.
LEAST_WATCHES = 1_000
LEAST_FREE_DISK_BYTES = 1_000_000_000
DATABASE_TIMEOUT_S = 5.0
PRODUCT_LOCK = "infra/requirements-demo.lock"  # what the product needs on one machine; the checks' tools may be missing
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^ ;\\]+)(?P<marker> *;)?")


# Checks of parts that stand above this one: the command line brings them.
Further = Callable[[Settings], Iterable[Finding]]


def run_doctor(instance: str = "default", further: Further = lambda _: ()) -> int:
    """Print every finding; exit code 0 when all checks pass, 1 otherwise."""
    findings = diagnose(Path("var") / instance, further)
    for finding in findings:
        state = "WRONG" if not finding.ok else "warn " if finding.warns else "ok   "
        print(f"{state} {finding.name:<20} {finding.what}")
        if not finding.ok or finding.warns:
            print(f"{'':<26} remedy: {finding.mend}")
    return 0 if all(finding.ok for finding in findings) else 1


def diagnose(instance: Path, further: Further = lambda _: ()) -> list[Finding]:
    """Check everything that `up` and its processes need; `instance` is the folder of the instance."""
    running = is_running(instance)
    adopted = _environment_of(instance) if running else {}
    findings = [
        python(),
        packages(),
        tie(),
        open_files(),
        decoder(),
        disk(instance),
        clock(instance),
    ]
    if running:
        findings.append(Finding("instance", ok=True, what=f"{instance} is running"))
    filled_in = {name.removeprefix(PREFIX).lower(): value for name, value in adopted.items() if name not in os.environ}
    try:
        settings = Settings.model_validate(filled_in)  # the environment's own values fill in the rest
    except ValidationError as error:
        return [*findings, settings_refused(error)]
    findings.append(settings_accepted(settings))
    if settings.broker == "mosquitto":
        findings += [mosquitto(adopted), broker_files(settings.mosquitto_dir)]
    if not settings.database_url:
        findings.append(local_postgres(instance))
    else:
        seen = asyncio.run(database(settings.database_url))
        findings.append(seen)
        if seen.ok:
            findings.append(asyncio.run(approvers(settings)))
            findings.append(asyncio.run(privacy_notices(settings)))
            findings.append(asyncio.run(sms_routes(settings)))
    findings += [sms_templates(settings), watchdog(settings)]
    findings += shared_parts(settings)
    findings.append(certificate(settings))
    findings += asyncio.run(brokers(settings))
    findings += further(settings)
    # Units and containers run the processes without an instance.
    if running or serves(settings):
        findings += processes(settings)
    else:
        findings += ports(settings)
    return findings


# ------------------------------------------------------------------------- the machine


def python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "python", sys.version_info >= OLDEST_PYTHON, seen, "install Python 3.11 or newer, then run `make setup`"
    )


def packages() -> Finding:
    """Return whether this environment holds what the product's lock pins."""
    lock = CHECKOUT / PRODUCT_LOCK
    if not lock.exists():
        return Finding("packages", ok=True, what="not a checkout: nothing to compare with")
    wrong = list(unlike_the_lock(lock.read_text(encoding="utf-8")))
    if not wrong:
        return Finding("packages", ok=True, what=f"as {PRODUCT_LOCK} pins them")
    summary = ", ".join(wrong[:5]) + (" ..." if len(wrong) > 5 else "")  # noqa: PLR2004 - as many as fit a line
    return Finding("packages", ok=False, what=f"not as {PRODUCT_LOCK} pins them: {summary}", mend="run `make setup`")


def unlike_the_lock(lock: str) -> Iterator[str]:
    """Yield a description of each package that is not installed as the lock pins it."""
    # A name can occur twice, for different Pythons or platforms: each of its versions counts as pinned.
    pinned: dict[str, list[str]] = {}
    for_all: set[str] = set()
    for line in lock.splitlines():
        if pin := PIN.match(line):
            pinned.setdefault(pin["name"], []).append(pin["version"])
            if not pin["marker"]:
                for_all.add(pin["name"])
    for name, versions in pinned.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            if name in for_all:  # one with a marker may be for another platform
                yield f"{name} is missing"
            continue
        if installed not in versions:
            yield f"{name} {installed} instead of {' or '.join(versions)}"


def tie() -> Finding:
    if can_tie():
        return Finding("children", ok=True, what="end with their parent, however it ends")
    mend = "install util-linux 2.33 or newer; without it, after a kill -9 end leftovers by hand or start again"
    return Finding("children", ok=sys.platform != "linux", what="would outlive a killed parent", mend=mend)


def open_files() -> Finding:
    """Return how many watches can be connected under the limit of open files that processes started here reach."""
    limit = attainable_descriptor_limit()
    watches = connections_within(limit)
    return Finding(
        "open files",
        watches >= LEAST_WATCHES,
        f"{limit} a process: {watches} watches at the same time",
        "raise the hard limit of open files (nofile) to 65536; infra/README.md says where",
    )


def decoder() -> Finding:
    """Check what confines the process that decodes recordings."""
    layers = available_layers()
    if {"Landlock", "seccomp"} & {*layers}:
        return Finding("decoder", ok=True, what=f"confined by resource limits, {', '.join(layers)}")
    what = f"confined by resource limits{''.join(f', {layer}' for layer in layers)} alone"
    return Finding("decoder", ok=False, what=what, mend="use Linux 5.13 or newer with Landlock, or one with seccomp")


def disk(instance: Path) -> Finding:
    place = next(folder for folder in (instance, *instance.absolute().parents) if folder.exists())
    free_bytes = shutil.disk_usage(place).free
    what = f"{free_bytes / 1e9:.1f} GB free at {place}"
    return Finding("disk", free_bytes >= LEAST_FREE_DISK_BYTES, what, "make room: at least 1 GB")


def clock(instance: Path) -> Finding:
    """Check the clock: one behind its own files or the sources was set back or never set."""
    files = [file for file in (CHECKOUT / "pyproject.toml", instance / "secrets.json") if file.exists()]
    behind_s = max((file.stat().st_mtime for file in files), default=0.0) - time.time()
    what = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if behind_s < 60:  # noqa: PLR2004 - seconds; a network file system may disagree a little
        return Finding("clock", ok=True, what=what)
    return Finding("clock", ok=False, what=f"{what}, {behind_s:.0f} s behind its own files", mend="set the clock (NTP)")


def mosquitto(adopted: dict[str, str]) -> Finding:
    name = f"{PREFIX}MOSQUITTO_BINARY"
    configured = os.environ.get(name, adopted.get(name, ""))
    binary = find_mosquitto(configured)
    if binary is not None:
        return Finding("mosquitto", ok=True, what=str(binary))
    if configured:
        return Finding(
            "mosquitto", ok=False, what=f"{configured} is no program", mend=f"correct {name}, or leave it empty"
        )
    mend = "`smartwatch up` brings it along by itself; or install the package mosquitto (2.0.11 or newer)"
    return Finding("mosquitto", ok=False, what="not found", mend=mend)


def local_postgres(instance: Path) -> Finding:
    """Check whether the bundled Postgres can run here, and as which user. Rows are not checked."""
    home = instance / "postgres"
    # Check the nearest existing folder: a closed one on the path is what matters.
    place = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    try:
        user, refused = find_server_user(place.absolute())
    except PostgresUnavailableError as error:
        return Finding("local postgres", ok=False, what=error.what, mend=error.mend)
    if user is not None:
        return Finding("local postgres", ok=True, what=f"can run (user: {user.name})")
    if os.geteuid() == 0:
        return Finding(
            "local postgres", ok=True, what="runs from a folder outside the checkout, announced at the start"
        )
    mend = "run `make setup`, or set SMARTWATCH_DATABASE_URL"
    return Finding("local postgres", ok=False, what="; ".join(refused), mend=mend)


def broker_files(folder: Path) -> Finding:
    """Return whether the broker's files are the ones its process wrote, and its persistence file is not too large."""
    faults: list[str] = []
    access, state = folder / "acl", folder / "state/mosquitto.db"
    try:
        if access.exists() and not is_packaged_access(access.read_bytes()):
            faults.append(f"{access} is not the packaged one")
        faults += [f"{path} was damaged" for path in sorted(folder.glob("**/*.broken"))]
        if state.exists() and state.stat().st_size > STATE_ALARM_BYTES:
            faults.append(f"{state} has {state.stat().st_size / 1e6:.0f} MB: is the bridge running?")
    except OSError as error:
        faults.append(f"{error.filename}: {error.strerror}")
    if not faults:
        return Finding("broker files", ok=True, what="whole")
    mend = "the broker replaces damaged files and deletes what it set aside after 20 h; check the disk and its log"
    return Finding("broker files", ok=False, what="; ".join(faults), mend=mend)


def certificate(settings: Settings) -> Finding:
    """Check that the certificate of the watches' port fits its key and lasts."""
    faults = list(certificate_faults(settings, system_clock()))
    if not faults:
        what = "lasts, and fits its key" if settings.tls_certificate_file else "made and renewed by the product"
        return Finding("certificate", ok=True, what=what)
    mend = "look at the renewal (certbot renew --dry-run, or Caddy's log) and at its hook; docs/deployment.md"
    return Finding("certificate", ok=False, what="; ".join(faults), mend=mend)


# ------------------------------------------------------------------------- settings, database, processes


def settings_accepted(settings: Settings) -> Finding:
    shared = settings.development_secrets()
    if shared and settings.environment is not Environment.PRODUCTION:
        what = f"{settings.environment}, with the development value of {', '.join(shared)}"
        return Finding("settings", ok=True, what=f"{what} (`up` makes random ones)")
    return Finding("settings", ok=True, what=str(settings.environment))


def settings_refused(error: ValidationError) -> Finding:
    """Name the invalid settings, never their values: they may be secrets."""
    summary = "; ".join(
        f"{PREFIX}{str(fault['loc'][0]).upper()}: {fault['msg']}" if fault["loc"] else fault["msg"]
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return Finding(
        "settings", ok=False, what=summary, mend="correct them in the environment; docs/settings.md explains each"
    )


async def database(url: str) -> Finding:
    """Check that the database answers and has the schema of these sources."""
    try:
        connection = await asyncpg.connect(url, timeout=DATABASE_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        mend = "is the server up, and SMARTWATCH_DATABASE_URL right? Or run `smartwatch up` without it"
        return Finding("database", ok=False, what=f"no connection ({type(error).__name__})", mend=mend)
    try:
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.PostgresError:
        revision = None
    finally:
        await connection.close()
    wanted = newest_revision()
    if revision == wanted or is_newer(revision):
        return Finding("database", ok=True, what=f"answers, schema {revision}")
    return Finding("database", ok=False, what=f"schema {revision}, not {wanted}", mend="run `smartwatch db upgrade`")


async def approvers(settings: Settings) -> Finding:
    """Whether at each site three people could approve break-glass: a delayed notice needs as many."""
    database = Database.of(settings)
    try:
        async with database.begin() as work:
            sites = [site for _, site in await all_sites(work)]
            few = [site.name for site in sites if await approvers_at(work, site) < APPROVERS_WANTED]
    except ErasuresPendingError:
        return Finding("approvers", ok=True, what="not counted: erasures of a restored backup are pending")
    finally:
        await database.close()
    if not few:
        return Finding("approvers", ok=True, what=f"three people or more at each of {len(sites)} sites")
    shown = ", ".join(few[:5]) + (" ..." if len(few) > 5 else "")  # noqa: PLR2004 - as many as fit a line
    mend = "open accounts of managers or admins (`smartwatch staff create`), and set their authenticator apps up"
    return Finding("approvers", ok=True, what=f"fewer than three people at: {shown}", mend=mend, warns=True)


async def sms_routes(settings: Settings) -> Finding:
    """Check that numbers of each site have a route, and name providers that process them in another country."""
    database = Database.of(settings)
    try:
        async with database.begin() as work:
            sites = sorted({(site.name, site.country) for _, site in await all_sites(work)})
        async with open_router(settings, database.vault, database.clock) as router:
            countries = {name: provider.country for name, provider in router.providers.items()}
    except ErasuresPendingError:
        return Finding("text messages", ok=True, what="not checked: erasures of a restored backup are pending")
    except TemplatesBrokenError:
        return Finding("text messages", ok=True, what="not checked: the file of templates cannot be read")
    finally:
        await database.close()
    diagnosis = diagnose_routes(settings.sms_routes, countries, sites)
    mend = "change SMARTWATCH_SMS_ROUTES; docs/sms.md describes each provider"
    if diagnosis.faults:
        return Finding("text messages", ok=False, what="; ".join(diagnosis.faults), mend=mend)
    if diagnosis.warnings:
        mend = "a provider of the site's own country, or a ground for the transfer: docs/privacy.md"
        return Finding("text messages", ok=True, what="; ".join(diagnosis.warnings), mend=mend, warns=True)
    return Finding("text messages", ok=True, what=f"routes {settings.sms_routes}")


def sms_templates(settings: Settings) -> Finding:
    """Check the template ids of the providers that send approved templates."""
    diagnosis = diagnose_templates(settings)
    mend = "correct SMARTWATCH_SMS_TEMPLATES_FILE; docs/sms.md lists the kinds"
    if diagnosis.faults or diagnosis.warnings:
        what = "; ".join((*diagnosis.faults, *diagnosis.warnings))
        return Finding("text templates", ok=not diagnosis.faults, what=what, mend=mend, warns=not diagnosis.faults)
    return Finding("text templates", ok=True, what="complete, or needed by no provider")


def watchdog(settings: Settings) -> Finding:
    """Check that somebody hears of trouble."""
    ways = {
        "mail": settings.watchdog_mails, "webhook": settings.watchdog_webhook_url, "text": settings.watchdog_numbers,
    }  # fmt: skip
    channels = ", ".join(name for name, way in ways.items() if way)
    if channels or settings.environment is not Environment.PRODUCTION:
        return Finding(
            "watchdog", ok=True, what=f"tells by {channels}" if channels else "not set up, as in development"
        )
    mend = "set SMARTWATCH_WATCHDOG_MAIL_TO or another way, and enable its timer: docs/runbook.md"
    return Finding("watchdog", ok=True, what="nobody is told of trouble", mend=mend, warns=True)


async def privacy_notices(settings: Settings) -> Finding:
    """Whether each site has stated who is responsible; in production a site that has not cannot take families."""
    database = Database.of(settings)
    try:
        async with database.begin() as work:
            stated = [(site, (await stated_notice(work, site.site_id))[1]) for _, site in await all_sites(work)]
    except ErasuresPendingError:
        return Finding("privacy notices", ok=True, what="not looked at: erasures of a restored backup are pending")
    finally:
        await database.close()
    missing = [(site.name, fields) for site, statement in stated if (fields := missing_fields(statement, site.country))]
    if not missing:
        return Finding("privacy notices", ok=True, what=f"complete at each of {len(stated)} sites")
    shown = "; ".join(f"{name} lacks {', '.join(fields)}" for name, fields in missing[:5])
    mend = "`smartwatch sites notice SITE --file notice.json`; until then production takes no family there"
    in_production = settings.environment is Environment.PRODUCTION
    return Finding("privacy notices", ok=not in_production, what=shown, mend=mend, warns=not in_production)


def _environment_of(instance: Path) -> dict[str, str]:
    try:
        lines = (instance / "environment").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)
