"""The schema that the first 26 migrations made, in one step.

The revision is that of the last of them: a database that they made is up to date, and an empty one gets the same schema
from one file. From here on migrations are only added.
"""

from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy.util import await_only

revision = "0026"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # A script of many statements needs the simple protocol of the driver: SQLAlchemy prepares each statement.
    driver: Any = op.get_bind().connection.driver_connection
    await_only(driver.execute(script))


def downgrade() -> None:
    message = "there is no schema before this one"
    raise NotImplementedError(message)
