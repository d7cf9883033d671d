from pathlib import Path

import pytest

from tests.support.face_models import embedder_model, yunet_model


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    """The made-up embedder and detector as an owner would have them."""
    model, detector = tmp_path / "quarters.onnx", tmp_path / "squares.onnx"
    model.write_bytes(embedder_model())
    detector.write_bytes(yunet_model())
    return model, detector
