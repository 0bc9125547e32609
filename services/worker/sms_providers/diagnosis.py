"""Diagnosis of the routes of text messages, for `smartwatch doctor`. Sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from phonenumbers import country_code_for_region

from services.core.platform.outbox.sms_texts import every_kind
from services.core.platform.settings import Settings
from services.core.platform.sms_settings import SmsRoutes
from services.worker.sms_providers.opening import TEMPLATED, templates_of
from services.worker.sms_providers.templates import SmsTemplates, TemplatesBrokenError

_SHOWN: Final = 4


@dataclass(frozen=True)
class Diagnosis:
    """Sentences about faults, and about what works and should be known."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def diagnose_templates(settings: Settings) -> Diagnosis:
    """Check the file of template ids: that it can be read, and that no kind lacks a template in a locale."""
    faults: list[str] = []
    warnings: list[str] = []
    for provider in (name for name in settings.sms_routes.providers if name in TEMPLATED):
        try:
            templates = templates_of(settings, provider)
        except TemplatesBrokenError as error:
            faults.append(str(error))
            continue
        faults += _missing(settings.sms_templates_file, provider, templates, every_kind())
        if unknown := templates.unknown(every_kind()):
            warnings.append(f"{settings.sms_templates_file} has templates of unknown kinds: {_some(unknown)}")
    return Diagnosis(tuple(faults), tuple(warnings))


def _missing(file: Path | None, provider: str, templates: SmsTemplates, kinds: Collection[str]) -> list[str]:
    gaps = [f"{kind} ({', '.join(locales)})" for kind, locales in templates.missing(kinds).items()]
    return [f"{file} has no template of {provider} for {_some(gaps)}"] if gaps else []


def diagnose_routes(
    routes: SmsRoutes, countries: Mapping[str, str | None], sites: Collection[tuple[str, str]]
) -> Diagnosis:
    """Check the routes for the numbers of each site, given as name and country (ISO 3166-1).

    ``countries`` are those of the providers: numbers and texts leave the site's country where the two differ.
    """
    faults: list[str] = []
    warnings: list[str] = []
    for site, country in sites:
        prefix = f"+{country_code_for_region(country)}"
        names = routes.providers_of(prefix)
        if not names:
            faults.append(f"sms_routes has no route for {prefix}, the numbers of {site}")
        abroad = [f"{name} ({countries[name]})" for name in names if countries[name] not in {country, None}]
        if abroad:
            warnings.append(f"texts of {site} ({country}) are processed abroad by {_some(abroad)}")
    return Diagnosis(tuple(faults), tuple(warnings))


def _some(parts: Collection[str]) -> str:
    shown = list(parts)[:_SHOWN]
    rest = len(parts) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
