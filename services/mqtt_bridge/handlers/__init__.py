"""One file a noun; importing this package declares them all."""

from services.mqtt_bridge.handlers import alerts, later, messages, pairing, voice, watches
from services.mqtt_bridge.handlers.registry import DECLARATIONS, Declaration, Frame

__all__ = ["DECLARATIONS", "Declaration", "Frame", "alerts", "later", "messages", "pairing", "voice", "watches"]
