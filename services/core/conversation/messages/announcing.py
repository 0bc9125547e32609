"""Which states of a watch's own messages it has not been told, or has not confirmed: SQL that stays small.

A watch sends thousands of messages and waits for the states of a few. The recipients of its messages are guardians of
its family, now or earlier; each has few such rows, which stand in indexes of their own. So a statement goes from the
watch to its guardians, to those rows, and to the message of each. ``OFFSET 0`` holds the planner to that order: it
cannot estimate how few rows differ in two columns, and would read every message of the watch.
"""

from __future__ import annotations

from typing import Final

from services.core.platform.db.prepared import any_array


def _of_guardians(condition: str) -> str:
    return f"""membership AS guardian_of,
  LATERAL (SELECT recipient_id, message_id FROM message_recipient
   WHERE message_recipient.guardian_id = guardian_of.guardian_id AND {condition} OFFSET 0) AS recipient,
  LATERAL (SELECT username FROM message WHERE message.message_id = recipient.message_id OFFSET 0) AS own
  WHERE guardian_of.family_id = watch_identity.family_id AND own.username = watch_identity.username"""  # noqa: S608 - constants of this file


# The conditions are those of the indexes recipient_untold and recipient_unconfirmed.
_IS_UNTOLD: Final = (
    "state IN ('delivered', 'played', 'expired', 'rejected') AND seen_state IS DISTINCT FROM state"
    " AND told_state IS DISTINCT FROM state"
)
_IS_UNCONFIRMED: Final = "told_state IS NOT NULL AND seen_state IS DISTINCT FROM told_state"
# The FROM clause, without the keyword, of a subquery that refers to `watch_identity`. It yields ``recipient_id``.
UNTOLD: Final = _of_guardians(_IS_UNTOLD)
_UNCONFIRMED: Final = _of_guardians(_IS_UNCONFIRMED)
# $1: the user name of a watch; the ids of recipients whose state it was not told, none twice.
UNTOLD_OF_WATCH: Final = (
    "SELECT DISTINCT recipient.recipient_id FROM watch_identity"  # noqa: S608 - constants of this file
    f" CROSS JOIN LATERAL (SELECT recipient.recipient_id FROM {UNTOLD}) AS recipient"
    " WHERE watch_identity.username = $1"
)
# $1: user names; what they were told and did not confirm counts as untold.
FORGET_UNCONFIRMED: Final = (
    "UPDATE message_recipient SET told_state = NULL"  # noqa: S608 - constants of this file
    " WHERE recipient_id = ANY(ARRAY(SELECT recipient.recipient_id FROM watch_identity"
    f" CROSS JOIN LATERAL (SELECT recipient.recipient_id FROM {_UNCONFIRMED}) AS recipient"
    f" WHERE watch_identity.username = {any_array(1, 'text')}))"
)
