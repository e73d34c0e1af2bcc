"""Which XDM components are there for a manifest: Adobe's usual ones, and what the platform has?"""

from agent.aep.platform import Platform
from agent.aep.schemas import Kind
from agent.config.keys import KeyPath
from agent.errors import ConfigError, NotFound, SchemaError
from agent.provision.manifest.loading import Written
from agent.xdm import Library


async def components(written: Written, platform: Platform) -> Library:
    """What the schema that is to be made refers to; the platform is asked for what is not here.

    Raises ConfigError, saying on which line, where the platform has no such component either.
    """
    settings = written.manifest.schema_
    library = Library.standard()
    refs: list[tuple[Kind, str, KeyPath]] = [("classes", settings.class_, ("schema", "class"))]
    refs += [
        ("fieldgroups", ref, ("schema", "field_groups", index))
        for index, ref in enumerate(settings.field_groups)
    ]
    problems = []
    for kind, ref, place in refs:
        if library.get(ref) is not None:
            continue
        noun = "class" if kind == "classes" else "field group"
        try:
            library.add(await platform.schemas.get(kind, ref, full=True))
        except NotFound:
            text = f"the platform has no {noun} {ref}; write one that it has"
            problems.append(str(written.problem(place, text)))
        except SchemaError as error:
            text = f"the {noun} {ref} cannot be read: {error}; write another"
            problems.append(str(written.problem(place, text)))
    if problems:
        raise ConfigError("\n".join(problems))
    return library
