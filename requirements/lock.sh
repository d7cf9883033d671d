#!/bin/sh
# Resolves pyproject.toml into the lock files: hashes, no registry addresses.
# Needs uv; run it after changing a dependency, and commit what it writes.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"; }
compile pyproject.toml --extra demo --extra build -o requirements/run.txt
compile pyproject.toml --extra demo --extra build --extra traces -c requirements/run.txt -o requirements/traces.txt
compile pyproject.toml --extra demo --extra build --extra traces --extra dev -c requirements/run.txt -o requirements/dev.txt
compile pyproject.toml --extra demo --extra build --extra traces --extra dev --extra fuzz -c requirements/dev.txt -o requirements/fuzz.txt
