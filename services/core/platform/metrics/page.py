"""What ``/metrics`` answers: the counters of this process, its gauges, its own resources, and room on its disks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services import __version__
from services.core.platform.metrics.registry import PREFIX, REGISTRY
from services.core.platform.settings import Settings

# The present value, or one by label value; an empty mapping shows no sample.
Reading = float | Mapping[str, float]


class MetricsPage(Collector):
    """The gauges of one process; each is read when the page is asked for.

    ``process`` is the name of the command, ``places`` the folders whose disks this process writes to, by name.
    """

    def __init__(self, process: str, places: Mapping[str, Path]) -> None:
        self._process = process
        self._places = dict(places)
        self._gauges: list[tuple[str, str, str | None, Callable[[], Reading]]] = []
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self._one_at_a_time = asyncio.Lock()

    def gauge(self, name: str, documentation: str, read: Callable[[], Reading], *, label: str | None = None) -> None:
        """Add a gauge ``smartwatch_<name>``; with ``label`` it is read as a mapping whose keys are our own words."""
        self._gauges.append((f"{PREFIX}_{name}", documentation, label, read))

    async def render(self) -> bytes:
        """Return the page in Prometheus' text format; outside the event loop, since a disk may not answer."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._render)

    def _render(self) -> bytes:
        return generate_latest(REGISTRY) + generate_latest(self._registry)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Read every gauge; called by the client library."""
        build = GaugeMetricFamily(f"{PREFIX}_build_info", "The running version.", labels=["process", "version"])
        build.add_metric([self._process, __version__], 1)
        yield build
        for name, documentation, label, read in self._gauges:
            family = GaugeMetricFamily(name, documentation, labels=[label] if label else None)
            reading = read()
            if isinstance(reading, Mapping):
                for value, number in reading.items():
                    family.add_metric([value], number)
            else:
                family.add_metric([], reading)
            yield family
        yield from self._disks()

    def _disks(self) -> Iterable[GaugeMetricFamily]:
        free = GaugeMetricFamily(f"{PREFIX}_disk_free_bytes", "Free bytes on the disk of a folder.", labels=["place"])
        size = GaugeMetricFamily(f"{PREFIX}_disk_size_bytes", "Size of the disk of a folder.", labels=["place"])
        for place, folder in self._places.items():
            try:
                usage = shutil.disk_usage(_existing(folder))
            except OSError:
                continue  # its absence is what an alert rule sees
            free.add_metric([place], usage.free)
            size.add_metric([place], usage.total)
        yield free
        yield size


def _existing(folder: Path) -> Path:
    """Return the folder or its nearest parent that exists: many are made by their first file."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def disks_of(settings: Settings) -> dict[str, Path]:
    """Return the folders for recordings and for the ledger of erasures; a bucket of S3 has no disk here."""
    places = {"ledger": settings.erasure_ledger.absolute().parent}
    if settings.blob_url.startswith("file:"):
        places["blobs"] = Path(settings.blob_url.removeprefix("file:")).absolute()
    return places
