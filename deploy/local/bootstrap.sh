#!/usr/bin/env bash
# Everything `make` needs on this machine: system packages, the virtual environment, the locked packages.
# Does nothing when all is there. Starts no server. `bootstrap.sh tests`: with what only tests need;
# `bootstrap.sh observe`: with Prometheus, Alertmanager and the exporter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
venv=$root/.venv
stamp=$venv/.examhall-installed
purpose=${1:-}

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

# --- what is there ---------------------------------------------------------------------------------------

have_postgres() {
  local server
  for server in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb; do
    [ -x "$server" ] && return 0
  done
  command -v postgres >/dev/null && command -v initdb >/dev/null
}

have_rabbitmq() {
  { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null; } &&
    command -v erl >/dev/null
}

# shellcheck disable=SC2086 # none, where it is empty
have_chromium() { have_any ${CHROMIUM:-} chromium chromium-browser google-chrome; }

have_any() {
  local name
  for name; do command -v "$name" >/dev/null && return 0; done
  return 1
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && is_new_enough "$name"; then
      command -v "$name"
      return
    fi
  done
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# The packages as the locks and the workspace have them, for this folder: a moved checkout counts as new.
members() { for project in protos/gen libs/* services/* gateway deploy/local; do
  [ -f "$project/pyproject.toml" ] && printf '%s\n' "$project"
done; }

fingerprint() {
  { printf '%s\n' "$root"; members; cat requirements-dev.lock $(members | sed 's,$,/pyproject.toml,'); } |
    cksum
}

# --- system packages -------------------------------------------------------------------------------------

missing_observers() {
  have_any promtool || echo prometheus
  have_any prometheus-alertmanager alertmanager || echo prometheus-alertmanager
  have_any prometheus-postgres-exporter postgres_exporter || echo prometheus-postgres-exporter
}

missing_packages() {
  have_postgres || [ -n "${DATABASE_URL:-}" ] || echo postgresql
  have_rabbitmq || [ -n "${RABBITMQ_URL:-}" ] || echo rabbitmq-server
  # A browser without any font dies.
  if [ "$purpose" = tests ] && ! have_chromium; then echo chromium fonts-dejavu-core; fi
  if [ "$purpose" = tests ] || [ "$purpose" = observe ]; then missing_observers; fi
  if [ "$(id -u)" = 0 ] && [ "$(uname)" = Linux ] && ! command -v setpriv >/dev/null; then echo util-linux; fi
  [ -x "$venv/bin/python" ] && return
  local python
  python=$(find_python)
  if [ -z "$python" ]; then
    echo python3 python3-venv
  elif ! can_make_venv "$python"; then
    "$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")'
  fi
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

say_what_is_missing() {
  echo "This machine lacks: $*" >&2
  cat >&2 <<'TEXT'
Needed are Python 3.11 or newer, PostgreSQL 15 or newer (`initdb` and `postgres`) and RabbitMQ
(`rabbitmq-server` and `erl`), under /usr/lib or in the PATH; for the tests Chromium or Chrome too
(in the PATH, or CHROMIUM=/path/to/it), and for them and `make observe` Prometheus, Alertmanager and
postgres_exporter. With Homebrew:
    brew install python postgresql rabbitmq
Or run everything in containers:
    docker compose -f deploy/compose.yaml up
TEXT
  exit 1
}

policy=/usr/sbin/policy-rc.d
policy_saved=$policy.examhall-saved
no_cluster=/etc/postgresql-common/createcluster.d/examhall.conf

# Package scripts ask policy-rc.d before they start anything, with systemd or without; 101 means no.
forbid_starts() {
  restore_policy # what an interrupted run left
  if [ -e "$policy" ]; then as_root mv "$policy" "$policy_saved"; fi
  printf '#!/bin/sh\n# examhall: nothing is started while packages are installed\nexit 101\n' |
    as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  # No cluster of the system's own either; ours are private.
  as_root mkdir -p "${no_cluster%/*}"
  echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
}

restore_policy() {
  if [ -e "$policy" ] && grep -q '^# examhall:' "$policy"; then as_root rm -f "$policy"; fi
  if [ -e "$policy_saved" ]; then as_root mv "$policy_saved" "$policy"; fi
  if [ -e "$no_cluster" ]; then as_root rm -f "$no_cluster"; fi
}

# The packages enable their servers for the next boot as well.
disable_new_servers() {
  [ -d /run/systemd/system ] || return 0
  local package
  for package in "$@"; do
    case $package in
      rabbitmq-server) as_root systemctl disable -q rabbitmq-server epmd.socket epmd 2>/dev/null || true ;;
      prometheus*) as_root systemctl disable -q "$package" prometheus-node-exporter 2>/dev/null || true ;;
      postgresql) as_root systemctl disable -q postgresql 2>/dev/null || true ;;
    esac
  done
}

install_packages() {
  if ! command -v apt-get >/dev/null; then say_what_is_missing "$@"; fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    echo "neither root nor sudo; as root: apt-get install $*" >&2
    exit 1
  fi
  say "installing $*"
  local log
  log=$(mktemp)
  trap 'restore_policy; rm -f "$log"' EXIT
  trap 'exit 130' INT TERM HUP
  forbid_starts
  local apt=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } </dev/null >"$log" 2>&1
  then
    tail -n 30 "$log" >&2
    echo "apt-get could not install: $*" >&2
    case "$*" in *chromium*) echo 'CHROMIUM=/path/to/it names another Chromium or Chrome.' >&2 ;; esac
    exit 1
  fi
  restore_policy
  disable_new_servers "$@"
  rm -f "$log"
  trap - EXIT INT TERM HUP
}

# --- Python packages -------------------------------------------------------------------------------------

# uv knows nothing of pip's configuration: an index, a folder of wheels or a certificate set there holds here.
use_pip_configuration() {
  eval "$("$venv/bin/python" -m pip config list 2>/dev/null | "$venv/bin/python" -c '
import ast, shlex, sys
names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
         "trusted-host": "UV_INSECURE_HOST", "cert": "SSL_CERT_FILE", "no-index": "UV_NO_INDEX"}
chosen = {}
rank = {"global": 0, "user": 1, "site": 2, "install": 3, ":env:": 4}
for line in sys.stdin:
    key, _, value = line.strip().partition("=")
    section, _, option = key.rpartition(".")
    if option in names and rank.get(section, -1) >= chosen.get(option, (-1,))[0]:
        chosen[option] = (rank[section], ast.literal_eval(value))
for option, (_, value) in chosen.items():
    separator = "," if option == "find-links" else " "
    text = separator.join(value.split())
    print(f"export {names[option]}=${{{names[option]}:-{shlex.quote(text)}}}")
')"
  # Like pip, the best match of all indexes; the hashes in the lock decide what may be installed.
  export UV_INDEX_STRATEGY=${UV_INDEX_STRATEGY:-unsafe-best-match}
  export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
}

install_python_packages() {
  local python work
  python=$(find_python)
  [ -n "$python" ] || say_what_is_missing "Python 3.11 or newer"
  if [ ! -x "$venv/bin/python" ] || ! is_new_enough "$venv/bin/python" || ! same_place; then
    say "making .venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
  fi
  rm -f "$stamp"
  say "installing the locked packages"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  awk '/^uv==/ { found = 1 } found && /^ *#/ { exit } found { print }' requirements-dev.lock >"$work/uv.txt"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$work/uv.txt"
  use_pip_configuration
  export VIRTUAL_ENV=$venv UV_LINK_MODE=${UV_LINK_MODE:-copy} UV_NO_PROGRESS=1
  "$venv/bin/uv" pip install -q --require-hashes -r requirements-dev.lock
  # shellcheck disable=SC2046 # paths of our own, without spaces
  "$venv/bin/uv" pip install -q --no-deps $(members | sed 's,^,-e ./,')
  rm -rf "$work"
  trap - EXIT
  fingerprint >"$stamp"
}

# Scripts in a virtual environment name its path: that of a moved checkout is useless.
same_place() { grep -qsF "$venv" "$venv/bin/activate"; }

missing=$(missing_packages)
# shellcheck disable=SC2086 # words
[ -z "$missing" ] || install_packages $missing
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(fingerprint)" ]; then install_python_packages; fi
