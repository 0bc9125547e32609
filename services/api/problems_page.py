"""Write docs/problems.md from the table of problems: ``python -m services.api.problems_page > docs/problems.md``."""

from __future__ import annotations

import sys

from services.api.problems import HTTP_CODES, OWN_FAULTS, STATUS, TYPE_PREFIX

_HEAD = f"""# Problems

Every refusal is `application/problem+json` (RFC 9457) with `type` (`{TYPE_PREFIX}<code>`), `title`,
`status`, `code` and `request_id`. Clients translate by `code`: it never changes its meaning. The title is the sentence
below, in plain English. Nothing of what was sent is ever repeated.

Some carry more fields: `retry_after_s` (also as the header `Retry-After`), `tries_left`, `wait_s`, `field` and `reason`
(empty, too_long, character), `right`, `permission`, `part`, `missing`, `current_version`, `of`, `most`, `max_s`,
`max_bytes`, `offset`, `of_bytes`, `how`, `word`, `pairs`, `confirm` and `state`. `invalid_request` carries `errors`: a
list of `in` (body, path, query, header), `pointer` (RFC 6901) and `rule`; `unknown` is the
name of a field that does not exist.

This page is written by `python -m services.api.problems_page`; a test compares it with the code.
"""


def problems_page() -> str:
    """Return the page: every code once, by status."""
    rows = {(int(status), error.code, error.sentence) for error, status in STATUS.items()}
    rows |= {(status, code, title) for status, (code, title) in HTTP_CODES.items()}
    rows |= {(int(status), code, title) for status, code, title in OWN_FAULTS}
    lines = [f"| `{code}` | {status} | {sentence} |" for status, code, sentence in sorted(rows)]
    return "\n".join([_HEAD, "| code | status | sentence |", "|---|---|---|", *lines, ""])


if __name__ == "__main__":
    sys.stdout.write(problems_page())
