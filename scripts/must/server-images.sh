#!/usr/bin/env bash
# server-images.sh: mcp-servers/build-servers.sh builds its images on a private engine, from another folder
# and without a registry, and each server runs from its image as the gateway runs it and answers.
# PROFILE=dev builds faster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOT=$PWD
if [[ ${1:-} != --in-the-bed ]]; then
  exec scripts/testbed.sh env PROFILE="${PROFILE:-release}" scripts/must/server-images.sh --in-the-bed
fi
cd /
"$ROOT/mcp-servers/build-servers.sh"
# ask IMAGE: what a server in this image says of itself and of its tools.
ask() {
  local hello='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}'
  printf '%s\n%s\n%s\n' "$hello" '{"jsonrpc":"2.0","method":"notifications/initialized"}' \
    '{"jsonrpc":"2.0","id":2,"method":"tools/list"}' |
    (cat && sleep 3) | docker run --rm -i --network none "$1"
}
for server in docker-control config-patcher; do
  said=$(ask "mcp-servers/$server:latest")
  grep -q "\"serverInfo\":{\"name\":\"$server\"" <<<"$said" || { echo "$server did not answer: $said" >&2; exit 1; }
  echo "$server: $(docker image inspect -f '{{.Size}}' "mcp-servers/$server:latest") bytes, $(grep -o '"inputSchema"' <<<"$said" | wc -l) tools"
done
