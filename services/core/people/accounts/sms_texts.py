"""SMS texts in each language; they name no child, no watch and no inviting guardian."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def login_code_text(locale: str, code: str) -> SmsText:
    """Return the text that carries a one-time code."""
    return TEXTS.compose("login_code", locale, code=code)


def invitation_text(locale: str, host: str) -> SmsText:
    """Return the text that announces an invitation; ``host`` is where the product is opened."""
    return TEXTS.compose("invitation", locale, host=host)


def urgent_text(locale: str, *, time: str, host: str) -> SmsText:
    """Return the text to a guardian about a watch that called for help at ``time`` (the child's wall clock)."""
    return TEXTS.compose("urgent", locale, time=time, host=host)


def go_and_look_text(locale: str) -> SmsText:
    """Return the text to a person who lives with a child whose watch called for help: no name, place or link."""
    return TEXTS.compose("go_and_look", locale)


def recovery_text(locale: str, host: str) -> SmsText:
    """Return the text that announces a change which can still be contested."""
    return TEXTS.compose("recovery", locale, host=host)


def looked_up_text(locale: str, host: str) -> SmsText:
    """Return the text that notifies a guardian of a staff access to name and number."""
    return TEXTS.compose("looked_up", locale, host=host)


def access_ended_text(locale: str, host: str) -> SmsText:
    """Return the text to a guardian whom another one removed from a family."""
    return TEXTS.compose("access_ended", locale, host=host)
