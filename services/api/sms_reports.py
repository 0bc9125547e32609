"""Delivery reports of the providers of text messages: each address holds a secret, and who can sign does so as well."""

from typing import Annotated, ClassVar
from urllib.parse import parse_qsl

from fastapi import Depends, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.api.declaring import Routes
from services.api.dependencies import SettingsHere, Work
from services.api.problems import problem_responses
from services.core.people.accounts.errors import AccessTokenInvalidError
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.metrics.registry import counter
from services.core.platform.outbox.sms_outcomes import DELIVERED, UNDELIVERED, record_report
from services.core.platform.outbox.sms_reports import (
    REPORTING,
    REPORTS_PATH,
    is_report_secret,
    is_twilio_signature,
    is_webhook_signature,
)

router = Routes(prefix=REPORTS_PATH, tags=["text message reports"])

_REPORTS_MAX = 1_000
_REPORTS = counter(
    "sms_reports", "Delivery reports of text messages, each once.", provider=REPORTING,
    outcome=(DELIVERED, UNDELIVERED),
)  # fmt: skip
# Read by the access rule.
_TOKEN = "{token}"  # noqa: S105 - the name of a part of the path
# Our own ids; what a provider makes of one it never got is ignored.
MessageId = Annotated[str, Field(max_length=64, description="the id that the message was sent with")]


class FromProvider:
    """A provider that was told this address with the message, and signs where its service can."""

    access_rule: ClassVar[str] = "signed link, provider's report"

    def __init__(self, provider: str) -> None:
        self._provider = provider

    async def __call__(
        self,
        request: Request,
        settings: SettingsHere,
        token: Annotated[str, Path(max_length=2000, description="the secret of the address")],
        x_twilio_signature: Annotated[str, Header(max_length=200, include_in_schema=False)] = "",
    ) -> None:
        """Raise AccessTokenInvalidError unless secret and signature are those of the provider; asks no database."""
        database: Database = request.app.state.database
        is_sound = is_report_secret(database.vault, self._provider, token)
        if self._provider == "twilio":
            url = (
                settings.public_url.rstrip("/")
                + request.url.path
                + (f"?{request.url.query}" if request.url.query else "")
            )
            secret = settings.sms_twilio_auth_token.get_secret_value()
            is_sound &= is_twilio_signature(secret, url, await _form(request), x_twilio_signature)
        if self._provider == "webhook":
            secret = settings.sms_webhook_secret.get_secret_value()
            is_sound &= is_webhook_signature(secret, await request.body(), request.headers, database.clock())
        if not is_sound:
            raise AccessTokenInvalidError


FromAliyun = Annotated[None, Depends(FromProvider("aliyun"))]
FromEsms = Annotated[None, Depends(FromProvider("esms"))]
FromTwilio = Annotated[None, Depends(FromProvider("twilio"))]
FromWebhook = Annotated[None, Depends(FromProvider("webhook"))]


class Received(BaseModel):
    """The report was read. Aliyun checks for a number in ``code``."""

    code: int = Field(0, description="always 0", examples=[0])
    msg: str = Field("OK", description="always OK", examples=["OK"])


class AliyunReport(BaseModel):
    """One report of Aliyun; other fields are ignored, above all the number."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    out_id: str | None = Field(None, max_length=64, description="our id (OutId)", examples=["h5kq2w7zjx3mnb4c6vd8"])
    success: bool = Field(description="whether the text arrived", examples=[True])


class WebhookReport(BaseModel):
    """One report of a gateway of one's own."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: MessageId = Field(examples=["h5kq2w7zjx3mnb4c6vd8"])
    delivered: bool = Field(description="whether the text arrived", examples=[True])


@router.post(f"/aliyun/{_TOKEN}", responses=problem_responses(401, 404, 422))
async def aliyun(
    _: FromAliyun, work: Work, reports: Annotated[list[AliyunReport], Field(max_length=_REPORTS_MAX)]
) -> Received:
    """Record reports of Aliyun (SmsReport by HTTP batch push). A repeat changes nothing."""
    for report in reports:
        await _record(work, "aliyun", report.out_id or "", report.success)
    return Received()


@router.get(f"/esms/{_TOKEN}", responses=problem_responses(401, 404, 422))
async def esms(
    _: FromEsms,
    work: Work,
    message_id: Annotated[str, Query(alias="RequestId", max_length=64, description="our id")] = "",
    status: Annotated[str, Query(alias="SendStatus", max_length=8, description="4: rejected, 5: sent")] = "",
    delivered: Annotated[str, Query(alias="SendSuccess", max_length=8, description="messages that arrived")] = "0",
) -> Received:
    """Record a report of eSMS.vn (CallbackUrl, by GET). Other states than rejected and sent are no result yet."""
    if status in {"4", "5"}:
        await _record(work, "esms", message_id, status == "5" and delivered not in {"", "0"})
    return Received()


@router.post(f"/twilio/{_TOKEN}", responses=problem_responses(401, 404, 422))
async def twilio(
    _: FromTwilio,
    request: Request,
    work: Work,
    message_id: Annotated[str, Query(max_length=64, description="our id")] = "",
) -> Received:
    """Record a report of Twilio (StatusCallback, a form). States on the way to the phone are no result yet."""
    status = dict(await _form(request)).get("MessageStatus", "")
    if status in {"delivered", "undelivered", "failed"}:
        await _record(work, "twilio", message_id, status == "delivered")
    return Received()


@router.post(f"/webhook/{_TOKEN}", responses=problem_responses(401, 404, 422))
async def webhook(_: FromWebhook, work: Work, report: WebhookReport) -> Received:
    """Record a report of a gateway of one's own, signed like the messages to it."""
    await _record(work, "webhook", report.id, report.delivered)
    return Received()


async def _form(request: Request) -> list[tuple[str, str]]:
    body = await request.body()
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


async def _record(work: UnitOfWork, provider: str, message_id: str, is_delivered: bool) -> None:  # noqa: FBT001
    # PostgreSQL takes no NUL; no id of ours holds anything but letters and digits.
    is_ours = message_id.isascii() and message_id.isalnum()
    if is_ours and await record_report(work, provider, message_id, is_delivered=is_delivered):
        _REPORTS.count(provider=provider, outcome=DELIVERED if is_delivered else UNDELIVERED)
