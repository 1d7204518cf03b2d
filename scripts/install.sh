#!/usr/bin/env bash
# Puts the locked environment into .venv and touches the file $1. On failure: one line, and the rest in a log.
set -euo pipefail
cd "$(dirname "$0")/.."
ready=$1
log=.venv/install.log

fail() {
    echo "$1" >&2
    exit 1
}

python=
for candidate in python3.11 python3 python3.12 python3.13 python3.14; do
    # Ask each to run: a version manager's shim may stand on the path with nothing behind it.
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] ||
    fail "counterpoint needs Python 3.11 or newer; none was found: install it and run make again"

echo "installing into .venv (some minutes the first time)"
mkdir -p .venv
"$python" -m venv .venv >"$log" 2>&1 ||
    fail "could not make .venv: Python's venv module failed (on Debian: apt install python3-venv; see $log)"

pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)
# The build backend is locked too, so the package itself is built without isolation: nothing more is fetched.
if ! {
    "${pip[@]}" install -r requirements.lock && "${pip[@]}" install --no-deps --no-build-isolation -e .
} >>"$log" 2>&1; then
    if grep -qiE 'connection broken by|name resolution|ConnectTimeout|Network is unreachable' "$log"; then
        fail "could not install: the package index could not be reached (see $log)"
    fi
    reason=$(grep '^ERROR' "$log" | tail -n 1 | sed 's/^ERROR: //' || true)
    fail "could not install: ${reason:-pip failed} (see $log)"
fi
touch "$ready"
