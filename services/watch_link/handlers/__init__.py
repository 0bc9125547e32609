"""The handlers, one file a noun; importing this package declares them all."""

from services.watch_link.handlers import alerts, locations, messages, pairing, usage, voice, watches
from services.watch_link.registry import DECLARATIONS

__all__ = ["DECLARATIONS", "alerts", "locations", "messages", "pairing", "usage", "voice", "watches"]
