"""Where an owner's models lie: one folder each, with its manifest, checked whenever it is opened."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from recognition.engines import dlib
from recognition.engines import manifest as manifests
from recognition.engines.contract import FaceEngine
from recognition.engines.dlib import DlibEngine
from recognition.engines.errors import (
    AlreadyOnShelfError,
    ManifestError,
    NotOnShelfError,
    UnconfirmedFileError,
    WrongHashError,
)
from recognition.engines.manifest import Detector, Manifest
from recognition.engines.onnx import OnnxEngine, version_of

MANIFEST: Final = "manifest.toml"
MODEL: Final = "model.onnx"
DETECTOR: Final = "detector.onnx"


@dataclass(frozen=True, slots=True)
class Given:
    """A file that is to go onto the shelf, and what its owner says of it.

    ``sha256`` is what it must have. With ``trusted`` the owner answers for a file that no
    publisher's SHA-256 confirms; it never overrules one that is known.
    """

    file: Path
    sha256: str = ""
    trusted: bool = False


class Shelf:
    """The folder of models. Reading it needs nothing else; adding is atomic."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Sorted names of the models here, checked or not."""
        return sorted(file.parent.name for file in self._folder.glob(f"[!.]*/{MANIFEST}"))

    def manifest(self, name: str) -> Manifest:
        """Raises ``NotOnShelfError`` and ``ManifestError``."""
        if name not in self.names():
            raise NotOnShelfError(name)
        found = manifests.read(self._folder / name / MANIFEST)
        if found.name != name or found.detector is None or not found.embedder.sha256:
            raise ManifestError(name, "it was not written by `ringward models add`")
        return found

    def version(self, name: str) -> str:
        """The version of its engine, without opening it. Raises as ``manifest``."""
        return version_of(self.manifest(name))

    def open(self, name: str) -> OnnxEngine:
        """Raises a ``ModelError`` where a file is missing, not the one that was added, or no good."""
        manifest, model, detector = self._read(name)
        return OnnxEngine(manifest, model, detector, version_of(manifest))

    def verify(self, name: str) -> Manifest:
        """Whether both files are there and the ones that were added. Raises a ``ModelError``."""
        return self._read(name)[0]

    def detector(self) -> Given | None:
        """The detector of a model that is here, for another one; None on an empty shelf."""
        for name in self.names():
            finder = self.manifest(name).detector
            if finder is not None:
                return Given(self._folder / name / DETECTOR, finder.sha256)
        return None

    def add(self, manifest: Manifest, model: Given, detector: Given) -> Manifest:
        """Checks the files, lets the network look at a picture, and puts all of it on the shelf.

        Gives the manifest with both files' SHA-256. Adding the same again changes nothing.
        Raises a ``ModelError``; the shelf is then as it was.
        """
        model_bytes, model_hash = _confirmed(model, manifest.embedder.sha256)
        detector_bytes, finder = _detector(detector, manifest.detector)
        whole = msgspec.structs.replace(
            manifest,
            embedder=msgspec.structs.replace(manifest.embedder, file=MODEL, sha256=model_hash),
            detector=msgspec.structs.replace(finder, file=DETECTOR),
        )
        if whole.name in self.names():
            if self.manifest(whole.name) != whole:
                raise AlreadyOnShelfError(whole.name)
            return whole
        OnnxEngine(whole, model_bytes, detector_bytes, version_of(whole)).check()
        self._put(whole, {MODEL: model_bytes, DETECTOR: detector_bytes})
        return whole

    def _put(self, manifest: Manifest, files: dict[str, bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Begins with a dot, so a copy that was cut short is never taken for a model.
        staged = Path(tempfile.mkdtemp(prefix=".adding-", dir=self._folder))
        try:
            for name, content in {**files, MANIFEST: manifests.written(manifest).encode()}.items():
                with (staged / name).open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                (staged / name).chmod(0o644)
            staged.chmod(0o755)
            staged.rename(self._folder / manifest.name)
        except OSError:
            shutil.rmtree(staged, ignore_errors=True)
            raise

    def _read(self, name: str) -> tuple[Manifest, bytes, bytes]:
        manifest = self.manifest(name)
        model = self._checked(name, MODEL, manifest.embedder.sha256)
        detector = self._checked(name, DETECTOR, manifest.detector.sha256 if manifest.detector else "")
        return manifest, model, detector

    def _checked(self, name: str, file: str, expected: str) -> bytes:
        path = self._folder / name / file
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise NotOnShelfError(name, file) from None
        measured = hashlib.sha256(content).hexdigest()
        if measured != expected:
            raise WrongHashError(path, expected, measured)
        return content


def open_engine(name: str, shelf: Shelf) -> FaceEngine:
    """The engine of this name: ``dlib``, or a model on the shelf. Raises a ``ModelError``."""
    return DlibEngine() if name == DlibEngine.name else shelf.open(name)


def engine_version(name: str, shelf: Shelf) -> str:
    """The version that ``open_engine`` would give, without opening anything. Raises a ``ModelError``."""
    return dlib.version() if name == DlibEngine.name else shelf.version(name)


def _confirmed(given: Given, published: str) -> tuple[bytes, str]:
    """The file's bytes and SHA-256, if somebody answers for it."""
    try:
        content = given.file.read_bytes()
    except OSError as error:
        raise NotOnShelfError(given.file.name, error.strerror or "the file") from error
    measured = hashlib.sha256(content).hexdigest()
    expected = given.sha256 or published
    if expected and measured != expected:
        raise WrongHashError(given.file, expected, measured)
    if not expected and not given.trusted:
        raise UnconfirmedFileError(given.file, measured)
    return content, measured


def _detector(given: Given, described: Detector | None) -> tuple[bytes, Detector]:
    """The detector's bytes and what is known of it; a YuNet nobody knows is described by its file."""
    known = manifests.known_detectors()
    try:
        measured = hashlib.sha256(given.file.read_bytes()).hexdigest()
    except OSError:
        measured = ""
    published = known.get(measured) or described
    content, sha256 = _confirmed(given, published.sha256 if published else "")
    if published is None:
        published = Detector(file=DETECTOR, licence="not stated", source="its owner")
    return content, msgspec.structs.replace(published, sha256=sha256)
