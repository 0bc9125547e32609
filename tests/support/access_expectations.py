"""Expected access: a small table by rule, role and target, written independently of the code that decides.

``python -m tests.support.access_expectations > docs/access-matrix.md`` writes the page from it; tests/integration/api/
test_matrix.py asks the API every cell.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from tests.support.api_routes import Declared, app_without_database, declared_routes


class Role(StrEnum):
    """The caller."""

    NOBODY = "nobody"
    FIRST = "first guardian"
    UNPROVEN = "first guardian, no PIN or code within 5 minutes"
    MESSAGE = "guardian, may message"
    LOCATE = "guardian, may locate"
    LOCATE_UNAGREED = "guardian, may locate, no consent to location"
    MANAGE = "guardian, may manage"
    NONE = "guardian without a right"
    WITHDRAWN = "guardian who took consent back"
    REMOVED = "removed guardian"
    LIMITED = "guardian before the second step"
    ENDED = "guardian, session ended"
    STAFF = "staff of the site"
    STAFF_ELSEWHERE = "staff of another site"
    MANAGER = "programme manager"
    COORDINATOR = "site coordinator"
    FACTORY = "factory user"
    ADMIN = "admin of the site"
    STAFF_ENDED = "staff, session ended"


class Target(StrEnum):
    """Whose the ids in the address are."""

    NO_ID = "no id"
    OWN = "own"
    SIBLING = "another of the same site or programme"
    ELSEWHERE = "of another site or programme"
    ERASED = "erased"
    UNKNOWN = "never existed"


@dataclass(frozen=True)
class Refusal:
    """The answer of a refused cell."""

    status: int
    code: str


PASSES: Final = None
"""The rule lets the request through; what the route then does has tests of its own."""

NO_TOKEN: Final = Refusal(401, "access_token_invalid")
SESSION_OVER: Final = Refusal(401, "session_ended")
SECOND_STEP: Final = Refusal(403, "second_step_needed")
NOT_FOUND: Final = Refusal(404, "not_found")
NO_CONSENT: Final = Refusal(403, "consent_required")
NO_RIGHT: Final = Refusal(403, "right_missing")
STEP_UP: Final = Refusal(403, "step_up_required")
NOT_FIRST: Final = Refusal(403, "primary_only")
NO_HAND_OUT: Final = Refusal(403, "hand_out_closed")
NO_PERMISSION: Final = Refusal(403, "permission_missing")

OF_STAFF: Final = frozenset(
    {
        Role.STAFF, Role.STAFF_ELSEWHERE, Role.MANAGER, Role.COORDINATOR, Role.FACTORY, Role.ADMIN, Role.STAFF_ENDED,
    }
)  # fmt: skip
OF_FAMILY: Final = frozenset(Role) - OF_STAFF - {Role.NOBODY}
# Each of the family has a right by itself, so that no right stands in for another.
RIGHTS: Final[dict[Role, frozenset[str]]] = {
    Role.FIRST: frozenset({"message", "locate", "manage"}),
    Role.UNPROVEN: frozenset({"message", "locate", "manage"}),
    Role.MESSAGE: frozenset({"message"}),
    Role.LOCATE: frozenset({"locate"}),
    Role.LOCATE_UNAGREED: frozenset({"locate"}),
    Role.MANAGE: frozenset({"manage"}),
    Role.NONE: frozenset(),
    Role.WITHDRAWN: frozenset({"message", "locate", "manage"}),
}
AGREED_TO_LOCATION: Final = frozenset({Role.FIRST, Role.UNPROVEN, Role.LOCATE, Role.MANAGE})
AGREED_TO_SOS_PLACES: Final = frozenset({Role.FIRST, Role.UNPROVEN})
# docs/decisions/0020-staff-access.md, in the words of the rules.
_HAND: Final = frozenset({"see structure", "see devices", "hand out", "see family codes"})
_CARE: Final = _HAND | {"recover accounts", "export aggregates", "support families", "see survey reports"}
MAY: Final[dict[Role, frozenset[str]]] = {
    Role.STAFF: _CARE,
    Role.STAFF_ELSEWHERE: _CARE,
    Role.MANAGER: _CARE | {"break glass", "approve accounts", "settle contests", "register watches"},
    Role.COORDINATOR: _HAND,
    Role.FACTORY: frozenset({"export aggregates"}),
    Role.ADMIN: _CARE
    | {"break glass", "approve accounts", "settle contests", "register watches"}
    | {"manage accounts", "manage structure"},
}
_STEP_UP: Final = ", step-up"
_BEFORE_CONSENT: Final = ", before consent too"
_LOCATION: Final = ", consent to location"
_SOS_PLACES: Final = ", consent to sos_places"


def expected(rule: str, role: Role, target: Target) -> Refusal | None:
    """Return what a cell answers, or PASSES; raises ValueError for a rule that nobody has written down here."""
    if rule == "open":
        return PASSES
    if rule.startswith("signed link"):
        # The caller does not matter: the link is the proof, and an access token is none.
        return NO_TOKEN
    if rule == "staff logged in" or rule.startswith(("staff, may ", "of site, may ")):
        return _of_staff(rule, role, target)
    if rule.startswith(("logged in", "in family, ", "of child, ")):
        refused = _of_family(rule.removesuffix(_STEP_UP), role, target)
        # Last of all: what is not theirs to do is refused as ever, whatever they prove.
        return STEP_UP if refused is PASSES and role is Role.UNPROVEN and rule.endswith(_STEP_UP) else refused
    message = f"no expectation for the access rule {rule!r}"
    raise ValueError(message)


def _of_staff(rule: str, role: Role, target: Target) -> Refusal | None:
    if role not in OF_STAFF:
        return NO_TOKEN
    if role is Role.STAFF_ENDED:
        return SESSION_OVER
    permission = rule.partition(", may ")[2]
    if permission and permission not in MAY[role]:
        return NO_PERMISSION
    if target in {Target.NO_ID, Target.OWN}:
        is_served = role is not Role.STAFF_ELSEWHERE or target is Target.NO_ID or not rule.startswith("of site")
    else:
        # A request about an account is reached wherever one serves, though no site stands in its address.
        is_reached = rule.startswith("of site") or permission == "approve accounts"
        is_served = role is Role.MANAGER and target is Target.SIBLING and is_reached
    if is_served and role is Role.COORDINATOR and permission == "see family codes":
        # No hand-out is open here; tests/integration/api/test_staff_access.py opens one.
        return NO_HAND_OUT
    return PASSES if is_served else NOT_FOUND


def _of_family(rule: str, role: Role, target: Target) -> Refusal | None:  # noqa: PLR0911 - a refusal a line
    if role not in OF_FAMILY:
        return NO_TOKEN
    if role is Role.ENDED:
        return SESSION_OVER
    if rule == "logged in, before the second step too":
        return PASSES
    if role is Role.LIMITED:
        return SECOND_STEP
    if target not in {Target.NO_ID, Target.OWN}:
        return NOT_FOUND
    if rule == "logged in":
        return PASSES
    return _in_own_family(rule, role)


def _in_own_family(rule: str, role: Role) -> Refusal | None:
    if role is Role.REMOVED:
        return NOT_FOUND
    if role is Role.WITHDRAWN and not rule.endswith(_BEFORE_CONSENT):
        return NO_CONSENT
    wanted = rule.removesuffix(_BEFORE_CONSENT).removesuffix(_LOCATION).split(", ")[1]
    if wanted == "first guardian":
        return PASSES if role in {Role.FIRST, Role.UNPROVEN} else NOT_FIRST
    right = wanted.removesuffix(" right")
    if right != "any" and right not in RIGHTS[role]:
        return NO_RIGHT
    for part, agreed in ((_LOCATION, AGREED_TO_LOCATION), (_SOS_PLACES, AGREED_TO_SOS_PLACES)):
        if rule.endswith(part) and role not in agreed:
            return NO_CONSENT
    return PASSES


@dataclass(frozen=True)
class Cell:
    """A route asked by a role about a target."""

    route: Declared
    role: Role
    target: Target

    @property
    def rule(self) -> str:
        """The access rule that the route declares."""
        return self.route.rule

    @property
    def expected(self) -> Refusal | None:
        """Expected status and code."""
        return expected(self.rule, self.role, self.target)


# A session is judged before any id, and what one may in one's own family does not matter in another's: the roles that
# are not here are asked about every target. It is a matter of time only.
_ONE_IS_ENOUGH: Final = {
    Role.MESSAGE: Target.ERASED, Role.NONE: Target.UNKNOWN, Role.LOCATE: Target.SIBLING, Role.MANAGE: Target.SIBLING,
    Role.LOCATE_UNAGREED: Target.ELSEWHERE, Role.LIMITED: Target.ELSEWHERE, Role.ENDED: Target.UNKNOWN,
    Role.STAFF_ENDED: Target.UNKNOWN, Role.WITHDRAWN: Target.SIBLING, Role.REMOVED: Target.ERASED,
    Role.STAFF_ELSEWHERE: Target.SIBLING, Role.FACTORY: Target.ELSEWHERE,
    Role.UNPROVEN: Target.SIBLING,
}  # fmt: skip


def targets_of(route: Declared, role: Role) -> tuple[Target, ...]:
    """Return what the ids of an address may be; of a site nothing is erased."""
    if "{" not in route.path or "{token}" in route.path:
        return (Target.NO_ID,)
    if (role in OF_STAFF) != route.is_for_staff or role is Role.NOBODY:
        # No token of this kind is refused before the database is asked anything: the target cannot matter.
        return (Target.OWN,)
    if role in _ONE_IS_ENOUGH:
        return (Target.OWN, _ONE_IS_ENOUGH[role])
    given = (Target.OWN, Target.SIBLING, Target.ELSEWHERE, Target.UNKNOWN)
    return given if route.is_for_staff else (*given, Target.ERASED)


@cache
def cells() -> tuple[Cell, ...]:
    """Return every cell."""
    routes = declared_routes(app_without_database())
    return tuple(Cell(route, role, target) for route in routes for role in Role for target in targets_of(route, role))


_HEAD = """# Who may what, cell by cell

Every route, asked by every role about every target. The expectations stand in
`tests/support/access_expectations.py`, written from what is meant and not from `services/api/family/access.py` and
`services/api/staff/access.py`, where it is decided;
`tests/integration/api/test_matrix.py` asks each cell and compares status and code. Refused cells are asked of the whole
API on one shared world, which they leave as it was; cells that pass are asked at the same rules, without what stands
behind them, and once more of the whole API on worlds of their own: whoever may read reads, under every rule somebody
succeeds, on every route but those named there, and each answer is as documented (`test_matrix_passes.py`,
`test_staff_crawl.py`). Of a site nothing is erased but its families: `test_staff_erased_family.py` asks for one. A
token of the other kind, or none, is refused before the database is asked anything: it is tried on what is one's own
only; where a role is told from another by its rights alone, one foreign target is tried. What is another's, what is
erased and what never existed answer alike: the same status, the same body, and the same statements to the database in
the same order, so that time tells nothing either.

**passes** stands for "the rule lets it through": the route may still refuse for its own reasons. A cell that is
empty is not asked. Each number is the status; the codes are `access_token_invalid` and `session_ended` (401),
`not_found` (404), and for 403 what stands there.

This page is written by `python -m tests.support.access_expectations`; a test compares it with the code.
"""


_COUNTED: Final = ("passes", "401", "403", "404")


def page() -> str:
    """Return the page: how many cells there are, and the table of each rule."""
    every = cells()
    routes, rules = {cell.route for cell in every}, sorted({cell.rule for cell in every})
    counted = Counter(str(cell.expected.status) if cell.expected else "passes" for cell in every)
    numbers = (len(routes), len(rules), len(Role), len(Target), len(every), *(counted[outcome] for outcome in _COUNTED))
    lines = [
        _HEAD,
        "| routes | rules | roles | targets | cells | pass | 401 | 403 | 404 |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| {' | '.join(str(number) for number in numbers)} |",
        "",
    ]
    for rule in rules:
        of_rule = [cell for cell in every if cell.rule == rule]
        targets = [target for target in Target if any(cell.target is target for cell in of_rule)]
        routes_of_rule = sorted({str(cell.route) for cell in of_rule})
        lines += [f"## {rule}", "", f"{len(routes_of_rule)} routes.", "", f"| role | {' | '.join(targets)} |"]
        lines.append("|---" * (len(targets) + 1) + "|")
        expected = {(cell.role, cell.target): cell.expected for cell in of_rule}
        lines += [f"| {role} | {' | '.join(_word(expected, role, target) for target in targets)} |" for role in Role]
        lines.append("")
    return "\n".join(lines)


def _word(expected: dict[tuple[Role, Target], Refusal | None], role: Role, target: Target) -> str:
    if (role, target) not in expected:
        return ""
    answer = expected[role, target]
    if answer is None:
        return "**passes**"
    return f"{answer.status} `{answer.code}`" if answer.status == 403 else str(answer.status)


if __name__ == "__main__":
    sys.stdout.write(page())
