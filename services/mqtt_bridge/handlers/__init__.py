"""One file a noun; importing this package declares them all."""

from services.mqtt_bridge.handlers import alerts, later, locations, messages, pairing, voice, watches
from services.mqtt_bridge.handlers.registry import DECLARATIONS, TOGETHER, Declaration, Frame

__all__ = [
    "DECLARATIONS",
    "TOGETHER",
    "Declaration",
    "Frame",
    "alerts",
    "later",
    "locations",
    "messages",
    "pairing",
    "voice",
    "watches",
]
