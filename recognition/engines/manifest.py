"""What an embedder wants to be fed and gives back, as a file beside it.

One TOML file a model. ``[embedder]`` describes any network that takes 112×112 faces in
ArcFace's position, ``[detector]`` the YuNet that finds them. The manifests of models that
people ask for are shipped; the models are not.
"""

import json
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from recognition.engines.errors import ManifestError

SHIPPED: Final = Path(__file__).parent / "manifests"
DETECTORS: Final = SHIPPED / "detectors"

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


T = TypeVar("T")


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A word that is misspelt is an error, not a default."""


class Detector(_Strict, frozen=True, kw_only=True):
    """A YuNet file. ``min_score`` 0..1: below it a find is no face."""

    file: FileName
    sha256: Sha256 = ""
    licence: Text
    source: Text
    min_score: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.7


class Embedder(_Strict, frozen=True, kw_only=True):
    """A network from aligned faces to vectors.

    A channel goes in as ``(value - mean) / divisor``, value 0..255. ``batch`` is how many faces the graph
    takes at once, 0 for any number; with 2 they are the face and its mirror image.
    ``input`` and ``output`` may be left out where the graph has only one.
    ``sha256`` is empty where no publisher gives one.
    """

    file: FileName
    sha256: Sha256 = ""
    dimension: Annotated[int, msgspec.Meta(ge=8, le=4096)]
    input: str = ""
    output: str = ""
    layout: Literal["nchw", "nhwc"] = "nchw"
    colour: Literal["rgb", "bgr"] = "rgb"
    mean: Annotated[float, msgspec.Meta(ge=0, le=255)] = 127.5
    divisor: Annotated[float, msgspec.Meta(gt=0, le=1024)] = 127.5
    batch: Literal[0, 1, 2] = 0
    # Both are compared by Euclidean distance; cosine is that of vectors of length 1.
    metric: Literal["cosine", "l2"] = "cosine"
    normalise: bool = True


class Manifest(_Strict, frozen=True, kw_only=True):
    """One face engine: the embedder, and on the shelf also the detector that aligns for it."""

    name: Name
    title: Text
    licence: Text
    source: Text
    note: str = ""
    embedder: Embedder
    detector: Detector | None = None


def read(file: Path) -> Manifest:
    """Raises ``ManifestError`` for what is no manifest or contradicts itself."""
    return _sound(_decoded(file, Manifest), file.name)


def renamed(manifest: Manifest, name: str) -> Manifest:
    """The same model under another name. Raises ``ManifestError``."""
    try:
        return _sound(msgspec.convert({**msgspec.to_builtins(manifest), "name": name}, Manifest), name)
    except msgspec.ValidationError as error:
        raise ManifestError(name, str(error)) from error


def shipped() -> dict[str, Manifest]:
    """The manifests that come with us, by name."""
    found = (read(file) for file in sorted(SHIPPED.glob("*.toml")))
    return {manifest.name: manifest for manifest in found}


def known_detectors() -> dict[str, Detector]:
    """The YuNet files whose SHA-256 is known, by it."""
    found = (_decoded(file, Detector) for file in sorted(DETECTORS.glob("*.toml")))
    return {detector.sha256: detector for detector in found}


def written(manifest: Manifest) -> str:
    """A manifest as TOML."""
    tables: dict[str, dict[str, object]] = {"": {}}
    for key, value in msgspec.to_builtins(manifest).items():
        if isinstance(value, dict):
            tables[key] = value
        elif value is not None:
            tables[""][key] = value
    lines = []
    for table, entries in tables.items():
        lines += [f"\n[{table}]"] if table else []
        # JSON's strings, numbers and booleans are TOML's too, but for one character.
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items()]
    return "\n".join(lines).replace("\x7f", "\\u007f") + "\n"


def _sound(manifest: Manifest, where: str) -> Manifest:
    if manifest.name == "dlib":
        raise ManifestError(where, "dlib is the name of the engine that needs no manifest")
    if manifest.embedder.metric == "cosine" and not manifest.embedder.normalise:
        raise ManifestError(where, "cosine compares vectors of length 1: normalise must be true")
    return manifest


def _decoded(file: Path, kind: type[T]) -> T:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise ManifestError(file.name, error.strerror or "cannot be read") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError(file.name, str(error)) from error
