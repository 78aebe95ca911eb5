#!/usr/bin/env bash
# Generates the distribution examprotos from the sources beside this file: messages, type stubs, gRPC stubs.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}
out=${1:-gen}
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
PATH="$(cd "$(dirname "$python")" && pwd):$PATH" "$python" -m grpc_tools.protoc -I . \
  --python_out="$fresh" --grpc_python_out="$fresh" --mypy_out="quiet:$fresh" --mypy_grpc_out="quiet:$fresh" \
  $(find examprotos -name '*.proto' | sort)
find "$fresh/examprotos" -type d -exec touch {}/__init__.py \;
touch "$fresh/examprotos/py.typed"
# Put in place only what was generated whole.
mkdir -p "$out/examprotos"
find "$out/examprotos" -name '*_pb2*' -delete
cp -r "$fresh/examprotos/." "$out/examprotos/"
