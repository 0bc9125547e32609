"""One file a noun; importing this package declares them all."""

from services.watch_link.handlers import alerts, locations, messages, pairing, usage, voice, watches
from services.watch_link.registry import DECLARATIONS, TOGETHER, Declaration, Frame

__all__ = [
    "DECLARATIONS",
    "TOGETHER",
    "Declaration",
    "Frame",
    "alerts",
    "locations",
    "messages",
    "pairing",
    "usage",
    "voice",
    "watches",
]
