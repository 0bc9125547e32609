#!/bin/sh
# Prints the path of a Python that is new enough: $PYTHON_FOR_VENV if set, else python3, else a newer one by name.
# POSIX sh, because it runs before any Python is known to be good.
needed=3.11
for name in ${PYTHON_FOR_VENV:-python3 python3.14 python3.13 python3.12 python3.11}; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "$path"
        exit 0
    fi
    found="$found $name ($("$path" -V 2>&1))"
done
{
    echo "Python $needed or newer is needed. Found:${found:- no python3 at all}."
    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3.12; macOS: brew install python)"
    echo "or name one: make setup PYTHON_FOR_VENV=/path/to/python3.12"
} >&2
exit 1
