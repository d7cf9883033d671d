import msgspec
import pytest

from recognition.engines import manifest as manifests
from recognition.engines.errors import ManifestError
from tests.support.face_models import quarters

GOOD = """
name = "mine"
title = "My own"
licence = "CC0"
source = "trained by myself"

[embedder]
file = "mine.onnx"
dimension = 256
"""


def read(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return manifests.read(file)


def test_what_most_networks_have_in_common_need_not_be_said(tmp_path):
    embedder = read(tmp_path, GOOD).embedder
    assert (embedder.layout, embedder.colour, embedder.mean, embedder.divisor) == (
        "nchw",
        "rgb",
        127.5,
        127.5,
    )
    assert (embedder.batch, embedder.metric, embedder.normalise, embedder.sha256) == (0, "cosine", True, "")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('name = "mine"', "", "name"),
        ('name = "mine"', 'name = "../mine"', "regex"),
        ('name = "mine"', 'name = "dlib"', "dlib is the name"),
        ('"mine.onnx"', '"/etc/passwd"', "regex"),
        ("dimension = 256", "dimension = 0", "dimension"),
        ("dimension = 256", 'dimension = "256"', "dimension"),
        ("dimension = 256", 'dimension = 256\nlayout = "chw"', "layout"),
        ("dimension = 256", 'dimension = 256\ncolor = "rgb"', "unknown field `color`"),
        ("dimension = 256", "dimension = 256\ndivisor = 0.0", "divisor"),
        ("dimension = 256", "dimension = 256\nbatch = 3", "batch"),
        ("dimension = 256", 'dimension = 256\nsha256 = "ABC"', "sha256"),
        ("dimension = 256", "dimension = 256\nnormalise = false", "normalise must be true"),
        ('licence = "CC0"', 'licence = ""', "licence"),
        ("[embedder]", "[embedder", "mine.toml"),
    ],
)
def test_a_bad_manifest_says_what_is_wrong(tmp_path, old, new, why):
    with pytest.raises(ManifestError, match=why) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert caught.value.where == "mine.toml"


def test_what_is_no_text_or_not_there_is_no_manifest(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.toml", "absent.toml"):
        with pytest.raises(ManifestError, match=name):
            manifests.read(tmp_path / name)


@pytest.mark.parametrize("source", ['a "quoted" \\ backslash', "两行\n文字\t😀", "\u007f\u0001"])
def test_a_manifest_is_read_back_as_it_was_written(tmp_path, source):
    manifest = msgspec.structs.replace(quarters(), source=source)
    file = tmp_path / "written.toml"
    file.write_text(manifests.written(manifest), encoding="utf-8", newline="")
    assert manifests.read(file) == manifest


def test_shipped_manifests_are_good_and_say_where_their_model_comes_from():
    shipped = manifests.shipped()
    assert set(shipped) == {"sface", "arcface-w600k-r50", "arcface-w600k-mbf", "mobilefacenet-192"}
    for name, manifest in shipped.items():
        assert manifest.name == name
        assert len(manifest.embedder.sha256) == 64
    sface = shipped["sface"].embedder
    assert (sface.mean, sface.divisor, sface.colour, sface.batch) == (0, 1, "rgb", 1)
    arcface = shipped["arcface-w600k-r50"].embedder
    assert (arcface.mean, arcface.divisor, arcface.dimension) == (127.5, 127.5, 512)


def test_known_detectors_are_found_by_their_hash():
    known = manifests.known_detectors()
    assert len(known) == len(list(manifests.DETECTORS.glob("*.toml"))) == 3
    assert all(sha256 == detector.sha256 and len(sha256) == 64 for sha256, detector in known.items())
