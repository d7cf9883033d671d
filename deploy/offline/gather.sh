#!/bin/sh
# Gathers everything that a machine without a network installs: `make wheelhouse`.
#
#   gather.sh PYTHON REQUIREMENTS FOLDER
#
# Run it on a machine of the same kind: same processor, same Python. Each file comes by its hash.
set -eu
python=$1 requirements=$2 folder=$3
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
rm -f "$folder"/*.whl "$folder"/*.tar.gz "$folder/SHA256SUMS"
pip() { "$python" -m pip --disable-pip-version-check --quiet "$@"; }
pip download --require-hashes --no-deps --dest "$folder" --requirement "$requirements"
# Ringward's own wheel, made from this folder by what the requirements hold for that.
pip wheel --no-deps --no-build-isolation --wheel-dir "$folder" "$here"
cp "$requirements" "$folder/requirements.txt"
cp "$here/deploy/offline/install.sh" "$folder/install.sh"
# Units, configurations and pages go with it.
tar -C "$here" -czf "$folder/deploy.tar.gz" deploy docs README.md README.zh-CN.md LICENSE
(cd "$folder" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum > SHA256SUMS)
echo "$(ls "$folder"/*.whl | wc -l) wheels in $folder, $(du -sh "$folder" | cut -f1)"
