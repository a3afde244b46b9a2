#!/usr/bin/env bash
# pictures.sh [THEME…]: pictures of the main screens, taken from the running program on the demo
# stack on a private engine, into docs/screens (dark) and docs/screens/THEME. See
# examples/pictures.rs.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$HERE/.."
if [[ -z ${SENTINEL_TEST_DOCKER_HOST:-}${SENTINEL_TEST_NO_ENGINE:-} ]]; then
  cargo build --locked --bin sentinel-tui --example pictures
  exec scripts/testbed.sh "$HERE/pictures.sh" "$@"
fi
if [[ -n ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
  echo "$SENTINEL_TEST_NO_ENGINE" >&2
  exit 1
fi
if (($# == 0)); then set -- dark; fi
for theme; do
  folder=docs/screens
  [[ $theme == dark ]] || folder=docs/screens/$theme
  target/debug/examples/pictures "$folder" "$theme"
done
