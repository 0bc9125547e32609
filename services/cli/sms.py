"""`smartwatch sms`: which provider sends to whom, and a test message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.core.platform.settings import Settings
    from services.worker.sms_providers.router import Attempt

sms_commands = typer.Typer(name="sms", no_args_is_help=True, help="Text messages: their routes, and a test.")


@sms_commands.command("routes")
def routes() -> None:
    """Show each route, the country of its provider, and the address that the provider reports deliveries to."""
    settings = cli_run.load_settings()
    rows = asyncio.run(_rows(settings))
    cli_run.print_table(("numbers", "provider", "country", "delivery reports to"), rows)


@sms_commands.command("texts")
def texts(
    locale: Annotated[str, typer.Option(help="Language of the texts: en, zh-Hans, vi or tr.")] = "en",
) -> None:
    """Show every kind of text message with its parameters and its text, as a provider of templates approves them."""
    from services.core.platform.outbox.sms_texts import every_text

    cli_run.print_table(("kind", "parameters", "text"), every_text(locale))


@sms_commands.command("try")
def try_route(
    phone: Annotated[str, typer.Argument(help="A number that you can read, in the form +8613800138000.")],
    locale: Annotated[str, typer.Option(help="Language of the text: en, zh-Hans, vi or tr.")] = "en",
) -> None:
    """Send a test message to a number, by the route that every message to it takes. Exit code 1: nobody took it."""
    from services.core.people.accounts.phone_numbers import normal_phone

    settings = cli_run.load_settings()
    attempts = asyncio.run(_try(settings, normal_phone(phone), locale))
    for attempt in attempts:
        print(f"{attempt.provider}: {'taken' if attempt.failure is None else f'{attempt.failure}: {attempt.reason}'}")
    if not attempts:
        raise cli_run.OperatorError("sms_no_route", "SMARTWATCH_SMS_ROUTES has no route for this number.")
    if attempts[-1].failure is not None:
        raise cli_run.OperatorError("sms_not_taken", "No provider took the message; docs/sms.md explains the codes.")


async def _rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    from services.core.platform.clock import system_clock
    from services.core.platform.crypto.vault import Vault
    from services.core.platform.outbox.sms_reports import REPORTING, report_address
    from services.worker.sms_providers.opening import open_router

    vault = Vault.of(settings)
    async with open_router(settings, vault, system_clock) as router:
        return [
            (
                "every other" if prefix == "*" else prefix,
                name,
                router.providers[name].country or "this machine",
                report_address(settings.public_url, vault, name) if name in REPORTING else "",
            )
            for prefix, names in settings.sms_routes.providers_by_prefix.items()
            for name in names
        ]


async def _try(settings: Settings, phone: str, locale: str) -> list[Attempt]:
    from services.core.platform.clock import system_clock
    from services.core.platform.crypto.random_ids import new_ref
    from services.core.platform.crypto.vault import Vault
    from services.core.platform.outbox.sms_texts import trial_text
    from services.worker.sms_providers.opening import open_router

    async with open_router(settings, Vault.of(settings), system_clock) as router:
        return await router.send(phone, trial_text(locale), new_ref(26))
