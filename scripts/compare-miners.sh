#!/usr/bin/env bash
# compare-miners.sh SAMPLES: how fast sentinel-tui reads logs beside drain3, tailspin and lnav, in one
# run on one corpus, in lines per second of processor time; writes docs/BENCHMARKS.md.
#
# SAMPLES is a folder of log samples as github.com/logpai/loghub has them: NAME/NAME_2k.log, beside it
# NAME_2k.content (the messages alone, one a line). They are not in this repository.
#
#   LINES=2000000   lines of the corpus; each tool reads as many of them as scripts/compare/run.py says
#   RUNS=3          runs of each tool, of which the best counts
#   CACHE=DIR       where tools and corpus are kept (target/compare)
#
# Needs python3, cargo and, for lnav, Debian or Ubuntu (or lnav on the PATH). Nothing is installed
# outside CACHE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'compare-miners.sh: %s\n' "$*" >&2; }

SAMPLES=${1:?say where the samples are: compare-miners.sh FOLDER}
LINES=${LINES:-2000000}
RUNS=${RUNS:-3}
CACHE=${CACHE:-target/compare}
mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)

if [[ ! -x $CACHE/venv/bin/python ]]; then
  say 'installing drain3 from PyPI'
  python3 -m venv "$CACHE/venv"
fi
"$CACHE/venv/bin/python" -c 'import drain3' 2>/dev/null ||
  "$CACHE/venv/bin/pip" install -q --disable-pip-version-check drain3==0.9.11

if [[ ! -x $CACHE/tailspin/bin/tspin ]]; then
  say 'building tailspin from crates.io'
  cargo install -q --locked --root "$CACHE/tailspin" tailspin@7.0.0
fi

LNAV=$(command -v lnav || true)
if [[ -z $LNAV ]]; then
  LNAV=$CACHE/lnav/usr/bin/lnav
  if [[ ! -x $LNAV ]]; then
    say 'unpacking the Debian packages of lnav'
    mkdir -p "$CACHE/deb"
    (cd "$CACHE/deb" && apt-get download -q lnav libarchive13 && for package in *.deb; do
      dpkg-deb -x "$package" "$CACHE/lnav"
    done) >&2
  fi
  for libraries in "$CACHE"/lnav/usr/lib/*-linux-gnu; do
    export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  done
fi

say 'building sentinel-tui'
cargo build -q --release --locked --bin sentinel-tui
PER_LINE=$(cargo bench --locked --bench per_line --no-run --message-format=json |
  python3 -c 'import json, sys
for line in sys.stdin:
    artifact = json.loads(line)
    if artifact.get("target", {}).get("name") == "per_line" and artifact.get("executable"):
        print(artifact["executable"])')

CORPUS=$CACHE/corpus-$LINES
if [[ ! -s $CORPUS.log || ! -d $CORPUS.parts ]]; then
  say "making a corpus of $LINES lines"
  python3 scripts/compare/corpus.py "$SAMPLES" "$LINES" "$CORPUS"
fi

python3 scripts/compare/run.py \
  --runs "$RUNS" --corpus "$CORPUS" --lines "$LINES" --page docs/BENCHMARKS.md \
  --ours target/release/sentinel-tui --per-line "$PER_LINE" \
  --drain "$CACHE/venv/bin/python" --tspin "$CACHE/tailspin/bin/tspin" --lnav "$LNAV" \
  --scratch "$CACHE"
