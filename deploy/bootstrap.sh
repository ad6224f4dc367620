#!/bin/sh
# Makes .venv from requirements.lock (every package pinned by hash) and installs `ecommerce` into it.
# Does nothing where the lock file and pyproject.toml have not changed since. PYTHON chooses the interpreter.
set -eu
# The servers run as another user where root starts them, and must read what is installed here.
umask 022
cd "$(dirname "$0")/.."

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
say() { printf ' · %s\n' "$*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

stamp=.venv/.synced
# The path is a part of it: console scripts name their interpreter by its absolute path.
wanted="$(pwd) $(cat requirements.lock pyproject.toml deploy/bootstrap.sh | cksum)"
if [ "$(cat $stamp 2>/dev/null || true)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

# The least time of fifteen, in microseconds, that the interpreter takes for a short piece of Python.
pace_of() {
    "$1" -c '
import timeit
work = "for n in range(50000): counts[n % 100] = counts.get(n % 100, 0) + len(str(n))"
print(int(1e6 * min(timeit.repeat(work, "counts = {}", number=1, repeat=15))))'
}

can_make_environments() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 || "$1" -m pip --version >/dev/null 2>&1; }

# One that was built without its profile-guided optimisation, as pyenv does, takes up to 1.8 times as long for everything:
# the first that will do is taken, unless a later one is much faster.
find_python() {
    [ -z "${found:-}" ] || return 0
    least=
    for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 /usr/local/bin/python3 /usr/bin/python3}; do
        new_enough "$candidate" || continue
        : "${fallback:=$(command -v "$candidate")}"
        can_make_environments "$candidate" || continue
        pace=$(pace_of "$candidate")
        if [ -z "$least" ] || [ $((pace * 5)) -lt $((least * 4)) ]; then
            found=$(command -v "$candidate") least=$pace
        fi
    done
    found=${found:-${fallback:-}}
    [ -n "$found" ] ||
        fail "Python 3.11 or newer is needed${PYTHON:+, and PYTHON=$PYTHON is not}; on Debian or Ubuntu: apt-get install python3"
}

# Debian packages Python without ensurepip: an environment can be made, but has no pip of its own.
make_environment() {
    find_python
    python=$found
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "making .venv with Python $version ($python)"
    rm -rf .venv
    if ! can_make_environments "$python"; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
            fail "Python $version lacks venv and pip: apt-get install python$version-venv (or python3-venv), then try again"
        say "installing python$version-venv, which Debian leaves out of Python"
        said=$(apt-get update 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y "python$version-venv" 2>&1) ||
            fail "apt-get could not install python$version-venv: $(printf '%s' "$said" | tail -n 3)"
    fi
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    else
        "$python" -m venv --without-pip .venv
    fi
}

pip() {
    if .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip --disable-pip-version-check -q "$@"
    else
        find_python
        "$found" -m pip --python .venv/bin/python --disable-pip-version-check -q "$@"
    fi
}

# uv installs ten times as fast as pip; it comes from the same lock file, by hash.
install_uv() {
    lock=$(mktemp)
    awk '/^uv==/ { on = 1 } on { print } on && !/\\$/ { exit }' requirements.lock >"$lock"
    [ -s "$lock" ] && pip install --require-hashes -r "$lock" || true
    rm -f "$lock"
}

case "$(cat $stamp 2>/dev/null || true)" in
"$(pwd) "*) new_enough .venv/bin/python || make_environment ;;
*) make_environment ;;
esac
rm -f $stamp
[ -x .venv/bin/uv ] || install_uv
say "installing the packages of requirements.lock"
if [ -x .venv/bin/uv ] &&
    .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r requirements.lock &&
    .venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e .; then
    :
else
    say "uv could not, so pip does (it reads your pip configuration)"
    pip install --require-hashes -r requirements.lock || fail "the packages of requirements.lock cannot be installed"
    pip install --no-deps -e . || fail "the project cannot be installed into .venv"
fi
printf '%s' "$wanted" >$stamp
