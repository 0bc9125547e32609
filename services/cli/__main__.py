"""`python -m services.cli` is `smartwatch`."""

from services.cli.main import main

main()
