"""Everything on one machine: Postgres, all processes under one supervisor, checks, and the demo."""
