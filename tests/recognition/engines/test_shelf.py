import msgspec
import pytest

from recognition.engines import DlibEngine, ModelError, Shelf, engine_version, open_engine
from recognition.engines.errors import (
    AlreadyOnShelfError,
    ManifestError,
    NotOnShelfError,
    UnconfirmedFileError,
    UnfitModelError,
    WrongHashError,
)
from recognition.engines.onnx import OnnxEngine
from recognition.engines.shelf import Given
from tests.support.face_models import embedder_model, face_at, quarters, sha256, yunet_model

MODEL, DETECTOR = sha256(embedder_model()), sha256(yunet_model())


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "data" / "models")


def given(files, **model):
    return Given(files[0], **{"sha256": MODEL} | model), Given(files[1], sha256=DETECTOR)


def on_shelf(tmp_path):
    folder = tmp_path / "data" / "models"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def test_a_model_that_was_added_is_opened_by_its_name(shelf, files):
    whole = shelf.add(quarters(), *given(files))
    assert shelf.names() == ["quarters"]
    assert shelf.manifest("quarters") == whole
    assert (whole.embedder.sha256, whole.detector.sha256) == (MODEL, DETECTOR)
    engine = open_engine("quarters", shelf)
    assert isinstance(engine, OnnxEngine)
    assert engine.version == shelf.version("quarters") == engine_version("quarters", shelf)
    image = face_at(324, 204)
    assert engine.embed(image, engine.detect(image)[0]).shape == (12,)


def test_dlib_needs_no_shelf(shelf):
    engine = open_engine("dlib", shelf)
    assert isinstance(engine, DlibEngine)
    assert engine_version("dlib", shelf) == engine.version


def test_one_detector_serves_several_models(shelf, files):
    assert shelf.detector() is None
    shelf.add(quarters(), *given(files))
    other = msgspec.structs.replace(quarters(), name="other")
    shelf.add(other, Given(files[0], MODEL), shelf.detector())
    assert shelf.verify("other").detector.sha256 == DETECTOR


def test_its_files_are_readable_by_all_and_complete(shelf, files, tmp_path):
    shelf.add(quarters(), *given(files))
    folder = tmp_path / "data" / "models" / "quarters"
    assert on_shelf(tmp_path) == [
        "quarters",
        "quarters/detector.onnx",
        "quarters/manifest.toml",
        "quarters/model.onnx",
    ]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    assert folder.stat().st_mode & 0o777 == 0o755


def test_adding_the_same_again_changes_nothing(shelf, files):
    first = shelf.add(quarters(), *given(files))
    assert shelf.add(quarters(), *given(files)) == first


def test_a_name_is_not_given_to_other_files(shelf, files):
    shelf.add(quarters(), *given(files))
    with pytest.raises(AlreadyOnShelfError):
        shelf.add(quarters(colour="bgr"), *given(files))
    renamed = msgspec.structs.replace(quarters(colour="bgr"), name="quarters-bgr")
    shelf.add(renamed, *given(files))
    assert shelf.names() == ["quarters", "quarters-bgr"]
    assert shelf.version("quarters") != shelf.version("quarters-bgr")


def test_a_file_that_nobody_confirms_is_not_added(shelf, files, tmp_path):
    with pytest.raises(UnconfirmedFileError) as caught:
        shelf.add(quarters(), *given(files, sha256=""))
    assert caught.value.measured == MODEL
    assert MODEL in str(caught.value)
    with pytest.raises(UnconfirmedFileError) as caught:
        shelf.add(quarters(), Given(files[0], sha256=MODEL), Given(files[1]))
    assert caught.value.measured == DETECTOR
    assert on_shelf(tmp_path) == []


def test_an_owner_may_answer_for_a_file_nobody_has_published(shelf, files):
    shelf.add(quarters(), Given(files[0], trusted=True), Given(files[1], trusted=True))
    assert shelf.open("quarters").name == "quarters"


def test_a_manifests_hash_confirms_the_file(shelf, files):
    shelf.add(quarters(sha256=MODEL), Given(files[0]), Given(files[1], sha256=DETECTOR))
    assert shelf.names() == ["quarters"]


@pytest.mark.parametrize(
    ("published", "said"),
    [("3" * 64, ""), ("", "3" * 64), (MODEL, "3" * 64)],
    ids=["published", "said", "both"],
)
def test_another_file_than_the_one_that_is_meant_is_refused_even_on_trust(shelf, files, published, said):
    with pytest.raises(WrongHashError) as caught:
        shelf.add(quarters(sha256=published), *given(files, sha256=said, trusted=True))
    assert (caught.value.expected, caught.value.measured) == ("3" * 64, MODEL)


@pytest.mark.parametrize("model", [{"spoil": float("nan")}, {"dimension": 3}, {"layout": "nhwc"}])
def test_a_graph_that_does_not_fit_its_manifest_never_reaches_the_shelf(shelf, files, tmp_path, model):
    files[0].write_bytes(embedder_model(**model))
    with pytest.raises(UnfitModelError):
        shelf.add(quarters(), *given(files, sha256="", trusted=True))
    assert on_shelf(tmp_path) == []


def test_a_detector_of_another_kind_never_reaches_the_shelf(shelf, files, tmp_path):
    with pytest.raises(UnfitModelError, match="not a YuNet"):
        shelf.add(quarters(), Given(files[0], trusted=True), Given(files[0], trusted=True))
    assert on_shelf(tmp_path) == []


def test_a_file_that_is_not_there_is_named(shelf, files, tmp_path):
    with pytest.raises(NotOnShelfError, match=r"absent\.onnx"):
        shelf.add(quarters(), Given(tmp_path / "absent.onnx"), Given(files[1], sha256=DETECTOR))
    with pytest.raises(NotOnShelfError, match=r"absent\.onnx"):
        shelf.add(quarters(), Given(files[0], sha256=MODEL), Given(tmp_path / "absent.onnx"))


def test_a_disk_that_is_full_leaves_the_shelf_as_it_was(shelf, files, tmp_path, monkeypatch):
    def full(self, mode):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.chmod", full)
    with pytest.raises(OSError, match="No space"):
        shelf.add(quarters(), *given(files))
    assert on_shelf(tmp_path) == []


def test_a_copy_that_was_cut_short_is_no_model(shelf, files, tmp_path):
    shelf.add(quarters(), *given(files))
    folder = tmp_path / "data" / "models"
    (folder / ".adding-x").mkdir()
    (folder / ".adding-x" / "manifest.toml").write_text("name = ")
    assert shelf.names() == ["quarters"]


@pytest.mark.parametrize("file", ["model.onnx", "detector.onnx"])
def test_a_file_that_was_changed_or_is_gone_is_a_named_error(shelf, files, tmp_path, file):
    shelf.add(quarters(), *given(files))
    path = tmp_path / "data" / "models" / "quarters" / file
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WrongHashError, match=file):
        shelf.open("quarters")
    path.unlink()
    with pytest.raises(NotOnShelfError, match=file):
        shelf.open("quarters")


@pytest.mark.parametrize("name", ["absent", "../quarters", "", ".", "/etc"])
def test_a_name_that_is_not_on_the_shelf_is_a_named_error(shelf, files, name):
    shelf.add(quarters(), *given(files))
    with pytest.raises(NotOnShelfError):
        open_engine(name, shelf)


@pytest.mark.parametrize(
    ("old", "new"),
    [('name = "quarters"', 'name = "other"'), (MODEL, ""), ("[detector]", "[finder]"), ("[", "(")],
)
def test_a_manifest_that_was_meddled_with_is_a_named_error(shelf, files, tmp_path, old, new):
    shelf.add(quarters(), *given(files))
    path = tmp_path / "data" / "models" / "quarters" / "manifest.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ManifestError):
        shelf.open("quarters")
    assert issubclass(ManifestError, ModelError)


def test_an_empty_shelf_has_no_names(shelf):
    assert shelf.names() == []
