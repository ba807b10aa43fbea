#!/usr/bin/env bash
# Follows docs/src/quickstart.md word for word on the cluster that kubectl knows: runs each command that begins with "$ " in a
# block of it, and stops at the first that fails. Needs kubectl and helm.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/src/quickstart.md

# A command goes on in the next line after a backslash.
commands=$(awk '
  /^```/ { block = ($0 == "```console"); next }
  block && (going || /^\$ /) { line = $0; if (!going) sub(/^\$ /, "", line); print line; going = /\\$/ }
' "$page")
test "$(grep -c '^[a-z]' <<< "$commands")" -ge 6
printf '%s\n' "$commands" | bash -euxo pipefail
