"""The database: engine, unit of work, notifications, locks, migrations. Postgres is the only dialect."""
