# Only what the classic builder and BuildKit both know: `act`, older daemons and GitHub's runners all build this.
# A release overrides the name with a pinned digest, a machine without a registry with a local stand-in.
ARG RUST_IMAGE=rust:1.95-slim-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build

# Static, for an image with no C library; only with a target given do build scripts and proc macros stay dynamic.
# `host-tuple` is the machine's own, so that amd64 and arm64 are each built natively.
ENV CARGO_BUILD_TARGET=host-tuple
ENV RUSTFLAGS="-C target-feature=+crt-static"

# The dependencies are a layer of their own, compiled against empty sources: it stays until a manifest changes.
# Of the sandbox, the tests and the benchmark cargo wants the files to exist; they are not compiled.
COPY Cargo.toml Cargo.lock ./
COPY sandbox/Cargo.toml sandbox/
RUN mkdir -p src sandbox/src tests/model benches \
 && touch src/lib.rs sandbox/src/lib.rs tests/main.rs tests/model/main.rs benches/bootstrap.rs benches/check.rs \
 && echo 'fn main() {}' > src/main.rs \
 && cargo build --release --locked --bin spacekeeper

# COPY keeps the files' times, which may lie before the empty sources were compiled, and cargo goes by time.
COPY src src
RUN touch src/lib.rs src/main.rs \
 && cargo build --release --locked --bin spacekeeper \
 && cp target/*/release/spacekeeper /spacekeeper

FROM scratch
LABEL org.opencontainers.image.title="Spacekeeper" \
      org.opencontainers.image.description="Gives a DigitalOcean App Platform app its Spaces buckets and keeps the credentials fresh" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /spacekeeper /spacekeeper
# Root and no WORKDIR, as the runner asks: its files are mounted into the container and belong to another user.
ENTRYPOINT ["/spacekeeper"]
