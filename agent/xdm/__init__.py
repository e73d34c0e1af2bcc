"""What may a record hold, as far as the platform's schemas say?

XDM as pure code: components in a library, schemas composed out of them, records coerced to them and
held against them. The emulator judges with it, and so does whoever looks at records beforehand.
"""

from agent.errors import SchemaError
from agent.xdm.compiling import compile_schema, compile_union
from agent.xdm.field import Field
from agent.xdm.library import Library, alternate_id, kind_of
from agent.xdm.published import load_directory
from agent.xdm.schema import Schema
from agent.xdm.violations import Violation, report

__all__ = [
    "Field",
    "Library",
    "Schema",
    "SchemaError",
    "Violation",
    "alternate_id",
    "compile_schema",
    "compile_union",
    "kind_of",
    "load_directory",
    "report",
]
