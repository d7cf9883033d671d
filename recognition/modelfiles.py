"""Where the models lie: inside installed packages, of which none is imported.

The packages are installed without what their own code would need; only their model
files are wanted.
"""

import hashlib
import importlib.util
from pathlib import Path


class ModelFileMissingError(FileNotFoundError):
    """A package is not installed, or does not hold the model file."""

    def __init__(self, package: str, path: str) -> None:
        super().__init__(f"package {package} with {path} is not installed")
        self.package = package
        self.path = path


def model_file(package: str, path: str) -> Path:
    """The file at ``path`` inside an installed package. Raises ``ModelFileMissingError``."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise ModelFileMissingError(package, path)


def version_of(*files: Path, recipe: str = "") -> str:
    """First 12 hex digits of the SHA-256 over the files: other weights are another version.

    ``recipe`` names what is done with the weights where that changes the numbers too.
    """
    digest = hashlib.sha256(recipe.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
