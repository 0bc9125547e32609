"""One file a noun; importing this package declares them all."""

from services.mqtt_bridge.handlers import alerts, locations, messages, pairing, usage, voice, watches
from services.mqtt_bridge.handlers.registry import DECLARATIONS, TOGETHER, Declaration, Frame

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
