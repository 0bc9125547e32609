"""The endpoint that brokers ask: forms of RabbitMQ and RMQTT, and JSON of EMQX, over HTTP from known networks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.broker.external import questions
from services.broker.external.authority import Answer, Authority
from services.broker.external.questions import Fields, MalformedQuestionError, Question
from services.broker.external.rules import is_inside
from services.core.platform.broker_settings import Network
from services.core.platform.log.throttle import LogThrottle
from services.core.platform.metrics.registry import counter, histogram

# The largest question has a topic of 65,535 bytes in it, which no watch of ours publishes on.
BODY_MAX_BYTES: Final = 16 * 1024
# A broker closes a log-in that waits longer; the watch comes back after seconds.
ANSWER_WITHIN_S: Final = 5.0
_KINDS: Final = ("log_in", "entry", "use", "speak")
_ANSWERS: Final = ("allow", "deny", "malformed", "unavailable")

_ASKED = counter("broker_questions", "Questions of an external broker, by answer.", kind=_KINDS, answer=_ANSWERS)
_ANSWERED = histogram("broker_question_seconds", "Time to answer a question of an external broker.", kind=_KINDS)

log = structlog.get_logger()

_READERS: Final[dict[str, Callable[[Fields], Question]]] = {
    "log_in": questions.log_in_of, "entry": questions.entry_of, "use": questions.use_of, "speak": questions.speak_of,
}  # fmt: skip


class Endpoint:
    """The HTTP application. Nothing of a question is ever logged: the bodies of log-ins hold passwords."""

    def __init__(self, authority: Authority, askers: Collection[Network]) -> None:
        self._authority = authority
        self._askers = askers
        self._throttle = LogThrottle()
        forms = {"user": "log_in", "vhost": "entry", "resource": "use", "topic": "speak"}
        objects = {"login": "log_in", "topic": "speak"}
        self.application = Starlette(
            routes=[
                *(Route(f"/rabbitmq/{path}", self._form(kind), methods=["POST"]) for path, kind in forms.items()),
                *(Route(f"/emqx/{path}", self._object(kind), methods=["POST"]) for path, kind in objects.items()),
            ]
        )

    def _form(self, kind: str) -> Callable[[Request], asyncio.Future[Response]]:
        async def answer(request: Request) -> Response:
            status, answered = await self._answer(request, kind, questions.read_form)
            # RabbitMQ and RMQTT read the text, and count any other status as no answer.
            return PlainTextResponse(str(answered), status)

        return answer  # type: ignore[return-value]

    def _object(self, kind: str) -> Callable[[Request], asyncio.Future[Response]]:
        async def answer(request: Request) -> Response:
            status, answered = await self._answer(request, kind, questions.read_json)
            result = "deny" if answered is Answer.DENY else "allow"
            return JSONResponse({"result": result, "is_superuser": False}, status)

        return answer  # type: ignore[return-value]

    async def _answer(self, request: Request, kind: str, read: Callable[[bytes], Fields]) -> tuple[int, Answer]:
        if request.client is None or not is_inside(request.client.host, self._askers):
            self._warn("broker_question_refused", "the address is not among broker_auth_askers")
            return HTTPStatus.FORBIDDEN, Answer.DENY
        started_at_s = asyncio.get_running_loop().time()
        status, answered, outcome = HTTPStatus.OK, Answer.DENY, "deny"
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                question = _READERS[kind](read(await _body_of(request)))
                answered = await self._authority.answer(question)
                outcome = "deny" if answered is Answer.DENY else "allow"
        except MalformedQuestionError as error:
            status, outcome = HTTPStatus.BAD_REQUEST, "malformed"
            self._warn("broker_question_malformed", str(error))
        except ClientDisconnect:
            status, outcome = HTTPStatus.BAD_REQUEST, "malformed"
        except Exception as error:  # noqa: BLE001 - whatever is wrong with Postgres, the broker gets no yes and no 500
            status, outcome = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
            self._warn("broker_question_not_answered", type(error).__qualname__)
        _ASKED.count(kind=kind, answer=outcome)
        _ANSWERED.observe(asyncio.get_running_loop().time() - started_at_s, kind=kind)
        return status, answered

    def _warn(self, event: str, reason: str) -> None:
        suppressed = self._throttle.suppressed_before(f"{event}/{reason}")
        if suppressed is not None:
            log.warning(event, reason=reason, suppressed=suppressed)


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX_BYTES:
            raise MalformedQuestionError("the body is too large")
    return bytes(body)


class QuietServer(uvicorn.Server):
    """A server whose process handles the signals itself."""

    def __init__(self, endpoint: Endpoint, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                endpoint.application, ws="none", lifespan="off", access_log=False, log_config=None, log_level="error",
                server_header=False, proxy_headers=False, timeout_graceful_shutdown=2,
                # Brokers keep their connections; a new one for each question costs a handshake.
                timeout_keep_alive=60,
            )
        )  # fmt: skip
        # Bound here, so that a taken port is an OSError and no end of the process.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=4096)

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        """Leave the signals to the process."""
        return contextlib.nullcontext()

    async def run_until_stopped(self) -> None:
        """Serve until `should_exit` is set."""
        with self._listening:
            await self.serve([self._listening])
