"""A pilot programme with two sites, for every test of this folder."""

from tests.support.pilot import programme, watch_list

__all__ = ["programme", "watch_list"]
