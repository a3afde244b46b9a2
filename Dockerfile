# sentinel-tui in a small image: the program, its libraries, nothing to log in to.
#
#   docker build -t sentinel-tui .
#   docker run --rm -it -v /var/run/docker.sock:/var/run/docker.sock sentinel-tui

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
# SQLite and ring are compiled with the C compiler of the image. The caches outlive the layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package sentinel-tui \
    && cp target/release/sentinel-tui /sentinel-tui \
    && install -d /state

# glibc, libgcc, CA certificates and time zones; no shell.
FROM gcr.io/distroless/cc-debian12
LABEL org.opencontainers.image.title="sentinel-tui" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /sentinel-tui /usr/local/bin/sentinel-tui
COPY --from=build /state /state
# Root, because that is who may open the engine's socket on most machines; run it with
# --user and --group-add where the socket belongs to a group.
ENV SENTINEL_STATE_DIR=/state \
    HOME=/state
VOLUME /state
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/sentinel-tui"]
