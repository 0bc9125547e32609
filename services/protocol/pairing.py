"""`down/pairing`: the answers to a factory identity, at most 1,024 bytes each: no hello has stated more."""

from typing import Annotated, Literal

from pydantic import Field

from services.protocol import limits
from services.protocol.fields import Count, Host, Name, OpenWord, UnixSeconds, Url, Username, WireMessage
from services.protocol.words import PairingErrorWord


class PairingCode(WireMessage):
    """The code to show, and the link for its QR code."""

    code: Annotated[str, Field(pattern=r"^[0-9]{4,12}$")] = Field(repr=False)
    qr: Url = Field(repr=False)
    expires_tst: UnixSeconds


class PairingRefused(WireMessage):
    error: Annotated[PairingErrorWord | str, OpenWord(PairingErrorWord)]
    retry_after_s: Count | None = None


class NotPaired(WireMessage):
    """No guardian has entered the code: keep showing it, or request one."""

    paired: Literal[False] = False


class Credentials(WireMessage):
    """Address and credentials of the next connection."""

    username: Username
    password: Annotated[str, Field(pattern=r"^[!-~]+$", min_length=16, max_length=limits.PASSWORD_MAX_CHARS)] = Field(
        repr=False
    )
    client_id: Username
    prefix: Annotated[str, Field(pattern=r"^sw/v1/w-[a-z2-7]+$", max_length=limits.TOPIC_MAX_BYTES)]
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]


class PairedWithCredentials(WireMessage):
    """Paired, not yet confirmed: reconnect with these credentials and send hello, which confirms the pairing."""

    paired: Literal[True] = True
    child_name: Name = Field(repr=False)
    credentials: Credentials


class StillPaired(WireMessage):
    """The pairing of this name stands: keep everything and keep trying."""

    paired: Literal[True] = True
    username: Username


class Unpaired(WireMessage):
    """The pairing of this name has ended. Only a watch that stores exactly this name wipes itself."""

    unpaired: Literal[True] = True
    username: Username


PairingAnswer = PairingCode | PairingRefused | NotPaired | PairedWithCredentials | StillPaired | Unpaired
