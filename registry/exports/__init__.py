"""The registry as files in the columns that an import reads. Templates never leave it (L-10)."""

from registry.exports.files import Export, Form, write
from registry.exports.tables import Tables, gather

__all__ = ["Export", "Form", "Tables", "gather", "write"]
