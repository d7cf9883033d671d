"""Why a face model cannot be used; each carries its facts."""

from pathlib import Path


class ModelError(ValueError):
    """What is wrong with a model, its manifest or its place on the shelf."""


class ManifestError(ModelError):
    """A manifest does not say what it has to, or says something impossible."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"manifest {where}: {why}")
        self.where = where
        self.why = why


class NotOnShelfError(ModelError):
    """No model of this name is on the shelf, or one of its files is gone."""

    def __init__(self, name: str, missing: str = "") -> None:
        super().__init__(
            f"model {name}: {missing} is missing" if missing else f"no model {name} on the shelf"
        )
        self.name = name
        self.missing = missing


class AlreadyOnShelfError(ModelError):
    """The name is taken by other files: what was embedded with them would lose its engine."""

    def __init__(self, name: str) -> None:
        super().__init__(f"another model {name} is on the shelf: give this one a name of its own")
        self.name = name


class WrongHashError(ModelError):
    """A file is not the one that is meant: damaged, exchanged, or another version."""

    def __init__(self, file: Path, expected: str, measured: str) -> None:
        super().__init__(f"{file.name}: SHA-256 is {measured}, not {expected}")
        self.file = file
        self.expected = expected
        self.measured = measured


class UnconfirmedFileError(ModelError):
    """Nobody has said which SHA-256 the file must have, so it is not loaded on trust."""

    def __init__(self, file: Path, measured: str) -> None:
        super().__init__(f"{file.name}: SHA-256 is {measured}, which nothing at hand confirms")
        self.file = file
        self.measured = measured


class UnfitModelError(ModelError):
    """A graph does not do what its manifest says."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the model does not fit its manifest: {why}")
        self.why = why
