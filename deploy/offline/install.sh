#!/bin/sh
# Installs Ringward from a folder that `make wheelhouse` made; asks no network.
#
#   sh install.sh [TARGET]      TARGET is /opt/ringward; python3 is the machine's own, or $PYTHON
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
target=${1:-/opt/ringward}
(cd "$folder" && sha256sum --check --strict --quiet SHA256SUMS) || { echo "what was copied is damaged"; exit 1; }
mkdir -p "$target"
"${PYTHON:-python3}" -m venv --clear "$target/.venv"
pip() { "$target/.venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
export PIP_NO_INDEX=1 PIP_CONFIG_FILE=/dev/null
# What comes as its source is built by this one; a newer Python brings none of its own.
for builder in "$folder"/setuptools-*.whl; do
  [ ! -e "$builder" ] || pip install --no-index --no-deps "$builder"
done
pip install --no-index --no-build-isolation --find-links "$folder" --require-hashes --no-deps --requirement "$folder/requirements.txt"
pip install --no-index --no-deps "$folder"/ringward-*.whl
tar -C "$target" -xzf "$folder/deploy.tar.gz"
echo "$("$target/.venv/bin/python" -c 'from importlib.metadata import version; print(version("ringward"))') in $target"
