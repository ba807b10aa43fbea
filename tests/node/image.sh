#!/usr/bin/env bash
# Builds the image: image.sh NAME:TAG ARCHIVE
#
# The last stage of the Dockerfile, as it stands, around a static program that cargo makes here. It takes root, buildah, and
# the C library's static half; of images it takes none, so it needs no registry. ARCHIVE becomes a docker-archive.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 archive=$2

# A target that is named keeps the flags away from build scripts, and the result in a folder of its own.
triple=$(rustc --version --verbose | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}
case $triple in
  x86_64-*) platform=linux/amd64 ;;
  aarch64-*) platform=linux/arm64 ;;
  *) echo "there is no image for $triple" >&2 && exit 1 ;;
esac
RUSTFLAGS="-C target-feature=+crt-static" cargo build --quiet --profile brisk --locked --package pam-operator --target "$triple"

work=$(mktemp -d "$target/image.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/build" "$(dirname "$archive")"
rm -f "$archive"
cp "$target/$triple/brisk/pam-operator" "$work/build/"

images=(buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run")
"${images[@]}" build --quiet --isolation chroot --pull=never --timestamp 0 --platform "$platform" \
  --target image --build-context "build=$work/build" --tag "$name" . >/dev/null
"${images[@]}" push --quiet "$name" "docker-archive:$archive:$name"
