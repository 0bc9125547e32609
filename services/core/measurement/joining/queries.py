"""The published cells of a whole programme, for a file that another system joins."""

from __future__ import annotations

from services.core.measurement.joining.files import CellFile, JoinedCell
from services.core.measurement.publishing.coding import bound_of
from services.core.measurement.publishing.queries import published_cells
from services.core.people.programme.queries import sites_of
from services.core.people.programme.tables import Programme
from services.core.platform.db.database import UnitOfWork
from services.core.platform.disclosure import LEAST, Audience


async def cell_file_of(work: UnitOfWork, programme: Programme) -> CellFile:
    """Return the public numbers of a programme as a whole: no site, no cohort, no family."""
    sites = await sites_of(work, programme.programme_id)
    cells = await published_cells(work, programme.programme_id, Audience.PUBLIC, scope_id=programme.programme_id)
    return CellFile(
        programme=programme.name, programme_id=str(programme.programme_id),
        countries=tuple(sorted({site.country for site in sites})),
        site_ids=tuple(sorted(str(site.site_id) for site in sites)), audience=Audience.PUBLIC.value,
        least_families=LEAST[Audience.PUBLIC], simulated=programme.simulated,
        made_at=work.now.isoformat(timespec="seconds"),
        cells=tuple(
            JoinedCell(
                cell.week, cell.indicator, cell.version, cell.n, cell.count, cell.value,
                bound_of(cell, Audience.PUBLIC),
            )
            for cell in cells
        ),
    )  # fmt: skip
