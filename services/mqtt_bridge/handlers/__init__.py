"""One file a noun; importing this package declares them all."""

from services.mqtt_bridge.handlers import later, messages, pairing, usage, voice, watches
from services.mqtt_bridge.handlers.registry import DECLARATIONS, Declaration, Frame

__all__ = ["DECLARATIONS", "Declaration", "Frame", "later", "messages", "pairing", "usage", "voice", "watches"]
