# syntax=docker/dockerfile:1
#
# The image of pam-operator: one static program and nothing else.
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg PAM_OPERATOR_REVISION="$(git rev-parse HEAD)" \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --output type=image,rewrite-timestamp=true,push=true -t NAME .
#
# The images that it is made from are arguments, so that a release gives them by digest (name:tag@sha256:...) and a site
# without internet by the name of its mirror:
#   XX     cross compilers (tonistiigi/xx)
#   RUST   Rust on Alpine, whose programs are static; its version is the toolchain that compiles
#   BASE   what the program is laid on; gcr.io/distroless/static-debian13:nonroot does as well
#
# `--build-context build=DIRECTORY` puts a pam-operator that was compiled elsewhere, statically, in the place of the stage
# `build`: so do the tests, which run the last stage as it stands here.

ARG XX=docker.io/tonistiigi/xx:1.9.0@sha256:c64defb9ed5a91eacb37f96ccc3d4cd72521c4bd18d5442905b95e2226b0e707
ARG RUST=docker.io/library/rust:1.95-alpine
ARG BASE=scratch

FROM --platform=$BUILDPLATFORM ${XX} AS xx

# Compiles on the builder's own architecture for the target's.
FROM --platform=$BUILDPLATFORM ${RUST} AS compiler
# hadolint ignore=DL3067
COPY --from=xx / /
# hadolint ignore=DL3018
RUN apk add --no-cache clang lld && \
    cargo install --locked --version 0.7.7 cargo-auditable
WORKDIR /src
# What .dockerignore lets through: the sources, and of the tests as much as the manifests name.
COPY . .
ARG TARGETPLATFORM
# For the C of `ring`.
RUN xx-apk add --no-cache gcc musl-dev
# The same sources give the same bytes: locked dependencies, no paths of the builder, a fixed time, the revision as an argument.
ARG SOURCE_DATE_EPOCH=0
ARG PAM_OPERATOR_REVISION=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/usr/local/cargo=/cargo" && \
    xx-cargo auditable build --release --locked --package pam-operator --target-dir /target && \
    xx-verify --static "/target/$(xx-cargo --print-target-triple)/release/pam-operator" && \
    install -D -m 0755 "/target/$(xx-cargo --print-target-triple)/release/pam-operator" /out/pam-operator

FROM scratch AS build
COPY --from=compiler /out/ /

# No certificates are laid beside the program: it carries the public roots (Mozilla's), and trusts the cluster by the
# certificate that comes with its ServiceAccount.
# hadolint ignore=DL3006
FROM ${BASE} AS image
ARG VERSION=0.1.0
ARG PAM_OPERATOR_REVISION=unknown
LABEL org.opencontainers.image.title="pam-operator" \
      org.opencontainers.image.description="Kubernetes operator for senhasegura (Segura) PAM Core" \
      org.opencontainers.image.url="https://pam-operator.dev" \
      org.opencontainers.image.documentation="https://pam-operator.dev/docs/" \
      org.opencontainers.image.source="https://github.com/pam-operator/pam-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${PAM_OPERATOR_REVISION}"
COPY --from=build --chmod=0755 /pam-operator /pam-operator
# A number, because only a number proves to the kubelet that it is not root.
USER 65532:65532
ENTRYPOINT ["/pam-operator"]
