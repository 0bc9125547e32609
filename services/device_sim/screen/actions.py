"""What the page asks for: each button is one small JSON object."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.device_sim.screen.desk import Desk
from services.protocol import limits
from services.protocol.words import Codec, Emoji

_Ref = Annotated[str, Field(min_length=1, max_length=limits.ID_MAX_CHARS)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Press(_Action):
    """A button without anything to say."""

    do: Literal["pair", "cancel_pairing", "sos", "sos_cancel", "sos_close", "train", "train_skip", "train_end"]


class OpenItem(_Action):
    """Open a message of the inbox."""

    do: Literal["open"]
    ref: _Ref


class SendEmoji(_Action):
    """Send one of the emoji."""

    do: Literal["emoji"]
    to: _Ref
    word: Emoji


class SwitchNetwork(_Action):
    """Find or lose the network."""

    do: Literal["network"]
    on: bool


class SetBattery(_Action):
    """Charge or drain the battery."""

    do: Literal["battery"]
    pct: Annotated[int, Field(ge=0, le=100)]


class ChooseCodec(_Action):
    """Record in another format."""

    do: Literal["codec"]
    codec: Codec


ACTION: TypeAdapter[Press | OpenItem | SendEmoji | SwitchNetwork | SetBattery | ChooseCodec] = TypeAdapter(
    Annotated[
        Press | OpenItem | SendEmoji | SwitchNetwork | SetBattery | ChooseCodec,
        Field(discriminator="do"),
    ]
)


async def carry_out(desk: Desk, body: bytes) -> None:
    """Carry out an action; raises ValidationError for another body, and what the watch refuses with."""
    match ACTION.validate_json(body):
        case Press(do=button):
            _press(desk, button)
        case OpenItem(ref=ref):
            desk.open_item(ref)
        case SendEmoji(to=to, word=word):
            desk.watch.emoji(to, word)
        case SwitchNetwork(on=on):
            await desk.set_network(on=on)
        case SetBattery(pct=pct):
            await desk.set_battery(pct)
        case ChooseCodec(codec=codec):
            desk.set_codec(codec)


def _press(desk: Desk, button: str) -> None:
    {
        "pair": desk.pair,
        "cancel_pairing": desk.cancel_pairing,
        "sos": desk.press_sos,
        "sos_cancel": desk.cancel_sos,
        "sos_close": desk.close_sos,
        "train": desk.training.begin,
        "train_skip": desk.training.skip,
        "train_end": desk.training.end,
    }[button]()
