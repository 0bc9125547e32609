"""Which message belongs to which topic, and how to read one: a parsed topic and its payload."""

from collections.abc import Mapping
from typing import Final

from services.protocol import codec
from services.protocol.downlink import (
    AlertSeen,
    Command,
    Config,
    Contacts,
    Item,
    ItemEmoji,
    ItemRemoved,
    ItemText,
    ItemVoice,
    Receipt,
    State,
    Time,
)
from services.protocol.fields import WireMessage
from services.protocol.location import Location, OwnTracksOther
from services.protocol.pairing import (
    NotPaired,
    PairedWithCredentials,
    PairingAnswer,
    PairingCode,
    PairingRefused,
    StillPaired,
    Unpaired,
)
from services.protocol.topics import Downlink, DownlinkKind, Uplink, UplinkKind
from services.protocol.uplink import (
    Ack,
    Alert,
    Fetch,
    Hello,
    PairingRequest,
    Status,
    Text,
    UpReceipt,
    Usage,
    VoiceEnd,
)

UplinkMessage = (
    PairingRequest
    | Hello
    | Status
    | VoiceEnd
    | Text
    | Fetch
    | UpReceipt
    | Ack
    | codec.ReceivedAlert
    | codec.Batch[Location | OwnTracksOther]
    | codec.Batch[Usage]
    | bytes
)
DownlinkMessage = PairingAnswer | Time | Receipt | State | Item | Command | Contacts | Config | AlertSeen | bytes

UPLINK_MODELS: Final[Mapping[UplinkKind, tuple[type[WireMessage], ...]]] = {
    UplinkKind.PAIRING: (PairingRequest,),
    UplinkKind.HELLO: (Hello,),
    UplinkKind.STATUS: (Status,),
    UplinkKind.VOICE_CHUNK: (),
    UplinkKind.VOICE_END: (VoiceEnd,),
    UplinkKind.TEXT: (Text,),
    UplinkKind.FETCH: (Fetch,),
    UplinkKind.RECEIPT: (UpReceipt,),
    UplinkKind.LOCATION: (Location, OwnTracksOther),
    UplinkKind.ACK: (Ack,),
    UplinkKind.ALERT: (Alert,),
    UplinkKind.USAGE: (Usage,),
}
DOWNLINK_MODELS: Final[Mapping[DownlinkKind, tuple[type[WireMessage], ...]]] = {
    DownlinkKind.PAIRING: (
        PairingCode,
        PairingRefused,
        NotPaired,
        PairedWithCredentials,
        StillPaired,
        Unpaired,
    ),
    DownlinkKind.TIME: (Time,),
    DownlinkKind.RECEIPT: (Receipt,),
    DownlinkKind.STATE: (State,),
    DownlinkKind.ITEM: (ItemText, ItemEmoji, ItemVoice, ItemRemoved),
    DownlinkKind.ITEM_CHUNK: (),
    DownlinkKind.COMMAND: (Command,),
    DownlinkKind.CONTACTS: (Contacts,),
    DownlinkKind.CONFIG: (Config,),
    DownlinkKind.ALERT: (AlertSeen,),
}

_PLAIN_UPLINKS: Final[
    Mapping[UplinkKind, type[PairingRequest | Hello | Status | VoiceEnd | Text | Fetch | UpReceipt | Ack]]
] = {
    UplinkKind.PAIRING: PairingRequest,
    UplinkKind.HELLO: Hello,
    UplinkKind.STATUS: Status,
    UplinkKind.VOICE_END: VoiceEnd,
    UplinkKind.TEXT: Text,
    UplinkKind.FETCH: Fetch,
    UplinkKind.RECEIPT: UpReceipt,
    UplinkKind.ACK: Ack,
}
_PLAIN_DOWNLINKS: Final[
    Mapping[DownlinkKind, type[Time | Receipt | State | Command | Contacts | Config | AlertSeen]]
] = {
    DownlinkKind.TIME: Time,
    DownlinkKind.RECEIPT: Receipt,
    DownlinkKind.STATE: State,
    DownlinkKind.COMMAND: Command,
    DownlinkKind.CONTACTS: Contacts,
    DownlinkKind.CONFIG: Config,
    DownlinkKind.ALERT: AlertSeen,
}


def read_uplink(topic: Uplink, payload: bytes, *, binary: bool = True) -> UplinkMessage:
    """Return an uplink: bytes for chunks, a Batch for location and usage. Raises ProtocolError, except for alerts.

    `binary` is what the watch's latest hello said of its chunks.
    """
    match topic.kind:
        case UplinkKind.VOICE_CHUNK:
            return codec.decode_chunk(payload, binary=binary)
        case UplinkKind.LOCATION:
            return codec.decode_locations(payload)
        case UplinkKind.USAGE:
            return codec.decode_usage(payload)
        case UplinkKind.ALERT:
            return codec.decode_alert(payload)
        case kind:
            return codec.decode_json(payload, _PLAIN_UPLINKS[kind], ref=topic.ref)


def read_downlink(topic: Downlink, payload: bytes, *, binary: bool = True) -> DownlinkMessage:
    """Return a downlink as a watch reads it. Raises ProtocolError."""
    match topic.kind:
        case DownlinkKind.ITEM_CHUNK:
            return codec.decode_chunk(payload, binary=binary)
        case DownlinkKind.ITEM:
            return codec.decode_item(payload, ref=topic.ref)
        case DownlinkKind.PAIRING:
            return codec.decode_pairing_answer(payload)
        case kind:
            return codec.decode_json(payload, _PLAIN_DOWNLINKS[kind])
