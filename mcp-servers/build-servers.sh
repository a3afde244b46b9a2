#!/bin/sh
# Builds the images of both MCP servers for Docker's MCP gateway; works from any folder.
#
#   mcp-servers/build-servers.sh             build both
#   mcp-servers/build-servers.sh NAME...     build these
#
# The binaries are built here with cargo, statically, and copied into empty images, so that no
# base image has to be pulled. DOCKER and CARGO name other programs to use.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")
docker=${DOCKER:-docker}
cargo=${CARGO:-cargo}

case "$(uname -m)" in
    x86_64 | amd64) target=x86_64-unknown-linux-gnu ;;
    aarch64 | arm64) target=aarch64-unknown-linux-gnu ;;
    *) echo "build-servers.sh: no static target known for $(uname -m)" >&2; exit 1 ;;
esac
[ "$(uname -s)" = Linux ] || {
    echo "build-servers.sh: build on Linux; the images hold Linux binaries" >&2
    exit 1
}

[ $# -gt 0 ] || set -- docker-control config-patcher
for server in "$@"; do
    case "$server" in
        docker-control | config-patcher) ;;
        *) echo "build-servers.sh: no server $server (docker-control, config-patcher)" >&2; exit 2 ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
for server in "$@"; do
    # A folder of its own: other flags would otherwise rebuild everything each time.
    RUSTFLAGS="-C target-feature=+crt-static" "$cargo" build --release --locked \
        --manifest-path "$root/Cargo.toml" --target "$target" \
        --target-dir "$root/target/servers" -p "$server" --bin "$server"
    mkdir -p "$work/$server"
    mkdir -m 700 "$work/$server/state"
    cp "$root/target/servers/$target/release/$server" "$work/$server/server"
    "$docker" build -q -t "sentinel-tui/$server:latest" \
        -f "$here/$server/Dockerfile" "$work/$server"
    echo "built sentinel-tui/$server:latest"
done
