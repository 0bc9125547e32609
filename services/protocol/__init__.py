"""The wire contract between watch and backend. Pure: no I/O, no database, no import from outside this folder."""
