"""Makes a file of random secrets for compose.yaml, readable by its owner only: make_secrets.py infra/secrets.env.

Refuses to overwrite one: rows wrapped by a lost master key are lost. Standard library only.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

LINES = """\
# Keep this file out of backups of the database: it unlocks them. Lose the master key and the content is lost.
POSTGRES_PASSWORD={postgres}
SMARTWATCH_MASTER_KEYS={master_id}:{master}
SMARTWATCH_HASH_KEY={hash}
SMARTWATCH_OWNER_PASSWORD={owner}
SMARTWATCH_APP_PASSWORD={app}
SMARTWATCH_BACKUP_PASSWORD={backup}
SMARTWATCH_TOKEN_KEYS={key_id}:{token}
SMARTWATCH_MQTT_BACKEND_PASSWORD={broker}
# Correct these four.
SMARTWATCH_ENVIRONMENT=development
SMARTWATCH_PUBLIC_URL=http://127.0.0.1:8080
SMARTWATCH_WATCH_HOST=127.0.0.1
WATCH_PORT=8883
"""


def main() -> int:
    if len(sys.argv) != 2:  # noqa: PLR2004 - itself and the file
        print("usage: make_secrets.py FILE", file=sys.stderr)
        return 2
    file = Path(sys.argv[1])
    text = LINES.format(
        postgres=secrets.token_hex(32),
        master_id=secrets.token_hex(4),
        hash=base64.b64encode(secrets.token_bytes(32)).decode(),
        owner=secrets.token_hex(32),
        app=secrets.token_hex(32),
        backup=secrets.token_hex(32),
        master=base64.b64encode(secrets.token_bytes(32)).decode(),
        key_id=secrets.token_hex(4),
        token=secrets.token_urlsafe(48),
        broker=secrets.token_urlsafe(32),
    )
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
    except FileExistsError:
        print(f"{file} is there already and stays as it is", file=sys.stderr)
        return 1
    print(f"{file} is made; correct its last four lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
