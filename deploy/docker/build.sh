#!/usr/bin/env bash
# Builds an image for each service and the gateway, with docker or podman.
#   build.sh [NAME…]     REPOSITORY=localhost/examhall  VERSION=…  BUILDER=podman  BUILD_ARGS='…'  SBOM=folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
builder=${BUILDER:-$(command -v podman || command -v docker || { echo 'neither podman nor docker is here' >&2; exit 1; })}
repository=${REPOSITORY:-localhost/examhall}
version=${VERSION:-$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
# Buildah leaves HEALTHCHECK out of images in its own format.
format=()
case $("$builder" --version) in podman*) format=(--format docker) ;; esac

names=("$@")
[ $# -gt 0 ] || { for folder in services/*/pyproject.toml; do names+=("$(basename "$(dirname "$folder")")"); done; names+=(gateway); }
for name in "${names[@]}"; do
  target=service
  [ "$name" != gateway ] || target=gateway
  # shellcheck disable=SC2086 # words
  "$builder" build "${format[@]}" ${BUILD_ARGS:-} -f deploy/docker/Dockerfile --target "$target" \
    --build-arg "SERVICE=$name" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --build-arg "CREATED=$created" -t "$repository/$name:$version" .
  if [ -n "${SBOM:-}" ]; then
    mkdir -p "$SBOM"
    "$builder" run --rm --network=none --entrypoint cat "$repository/$name:$version" /opt/examhall/sbom.cdx.json >"$SBOM/$name.cdx.json"
  fi
  echo "$repository/$name:$version"
done
