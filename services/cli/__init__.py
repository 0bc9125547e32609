"""The one command, `smartwatch`: a module for each group of subcommands."""
