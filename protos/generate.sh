#!/usr/bin/env bash
# Generates the distribution examprotos from the sources beside this file: messages, type stubs, gRPC stubs.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}
out=${1:-gen}
mkdir -p "$out/examprotos"
find "$out/examprotos" -name '*_pb2*' -delete
PATH="$(cd "$(dirname "$python")" && pwd):$PATH" "$python" -m grpc_tools.protoc -I . \
  --python_out="$out" --grpc_python_out="$out" --mypy_out="quiet:$out" --mypy_grpc_out="quiet:$out" \
  $(find examprotos -name '*.proto' | sort)
find "$out/examprotos" -type d -exec touch {}/__init__.py \;
touch "$out/examprotos/py.typed"
