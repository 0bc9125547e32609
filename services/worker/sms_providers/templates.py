"""The template ids of providers that send approved templates, by kind of text and locale.

The file is TOML, a table a provider::

    [aliyun]
    login_code = { zh-Hans = "SMS_100", "*" = "SMS_101" }
    urgent = { "*" = { id = "SMS_102", params = ["time"] } }

``*`` serves every locale that is not named. ``params`` names what the template declares; without it the template gets
every parameter but ``host``, which approved templates hold in their fixed part: Aliyun accepts no domain as a parameter
(isv.PARAM_NOT_SUPPORT_URL).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.core.platform.locales import LOCALES

EVERY_LOCALE: Final = "*"
_FIXED: Final = frozenset({"host"})
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TemplatesBrokenError(Exception):
    """The file of templates cannot be used; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Template:
    """One approved template: its id at the provider, and the parameters it declares (None: all but ``host``)."""

    template_id: str
    params: frozenset[str] | None = None

    def fill(self, params: Mapping[str, str]) -> dict[str, str]:
        """Return the parameters that the template gets."""
        if self.params is None:
            return {name: value for name, value in params.items() if name not in _FIXED}
        return {name: value for name, value in params.items() if name in self.params}


class SmsTemplates:
    """The templates of one provider."""

    def __init__(self, templates: Mapping[tuple[str, str], Template]) -> None:
        self._templates = dict(templates)

    def find(self, kind: str, locale: str) -> Template | None:
        """Return the template of a kind in a locale, or the one for every locale, or None."""
        return self._templates.get((kind, locale)) or self._templates.get((kind, EVERY_LOCALE))

    def missing(self, kinds: Collection[str]) -> dict[str, list[str]]:
        """Return the locales without a template by kind, sorted; empty when none is missing."""
        gaps = {kind: [locale for locale in LOCALES if self.find(kind, locale) is None] for kind in sorted(kinds)}
        return {kind: locales for kind, locales in gaps.items() if locales}

    def unknown(self, kinds: Collection[str]) -> list[str]:
        """Return the kinds in the file that no text has: misspelt ones."""
        return sorted({kind for kind, _ in self._templates} - set(kinds))


def read_templates(path: Path, provider: str) -> SmsTemplates:
    """Read the table of a provider; raises TemplatesBrokenError."""
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror})"
        raise TemplatesBrokenError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is no TOML: {error}"
        raise TemplatesBrokenError(message) from error
    table = tables.get(provider)
    if not isinstance(table, dict):
        message = f"{path} has no table [{provider}]"
        raise TemplatesBrokenError(message)
    templates = {}
    for kind, by_locale in table.items():
        if not isinstance(by_locale, dict):
            message = f'{path}: write {kind} = {{ "*" = "SMS_..." }}'
            raise TemplatesBrokenError(message)
        for locale, value in by_locale.items():
            if locale not in {*LOCALES, EVERY_LOCALE}:
                message = f"{path}: {kind} has the unknown locale {locale}; there are {', '.join(LOCALES)} and *"
                raise TemplatesBrokenError(message)
            templates[kind, locale] = _template(path, kind, locale, value)
    return SmsTemplates(templates)


def _template(path: Path, kind: str, locale: str, value: Any) -> Template:  # noqa: ANN401 - what TOML holds
    params = None
    if isinstance(value, dict) and set(value) <= {"id", "params"}:
        params = value.get("params")
        value = value.get("id")
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        message = f"{path}: {kind} in {locale} has no template id"
        raise TemplatesBrokenError(message)
    if params is None:
        return Template(value)
    if not isinstance(params, list) or not all(isinstance(param, str) for param in params):
        message = f"{path}: the params of {kind} in {locale} are no list of names"
        raise TemplatesBrokenError(message)
    return Template(value, frozenset(params))
