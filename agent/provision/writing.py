"""What does a manifest look like that was inferred from records? YAML with advice, to be edited."""

import json
import re
from collections.abc import Iterator

from agent.provision.inferring import Sample, Seen

_NAME_CHARACTERS_MAX = 64
_TIMES = (
    "timestamp",
    "time",
    "ts",
    "at",
    "date",
    "created_at",
    "createdAt",
    "event_time",
    "eventTime",
)
_WRAPPED = re.compile(r"\$\{(.*?)\}")


def manifest_text(name: str, sample: Sample) -> str:
    """A manifest of this name that maps every field of the sample to one of the tenant's own."""
    fields = list(_named(sample))
    moment = next((seen for _, seen in fields if _is_moment(seen)), None)
    parts = [
        _head(name, sample),
        _schema(name, sample, fields, is_event=moment is not None),
        _identities(fields, is_event=moment is not None),
        _dataset(name),
        _mapping(fields, moment),
        _foot(name),
    ]
    return "\n".join(parts)


def _head(name: str, sample: Sample) -> str:
    return f"""\
# Inferred from {sample.records:,} records by `aep-agent provision init`: edit it, then
#   aep-agent provision plan  THIS_FILE     shows what would be made
#   aep-agent provision apply THIS_FILE     makes it, and writes the agent's configuration

platform:
  url: ${{AEP_PLATFORM_URL:-https://platform.adobe.io}}
  token_url: ${{AEP_TOKEN_URL:-https://ims-na1.adobelogin.com/ims/token/v3}}
  org_id: ${{AEP_ORG_ID}}
  sandbox: ${{AEP_SANDBOX:-prod}}
  client_id: ${{AEP_CLIENT_ID}}
  # or client_secret_file: secrets stand in no manifest
  client_secret: ${{AEP_CLIENT_SECRET}}

source:
  type: http
  data_type: raw
  # false: whoever knows the inlet's URL can send to it
  authenticated: true
"""


def _schema(name: str, sample: Sample, fields: list[tuple[str, Seen]], *, is_event: bool) -> str:
    kind = "event" if is_event else "profile"
    why = "a field of the records is a moment" if is_event else "no field is a moment"
    lines = [
        "schema:",
        f"  title: {_text(name)}",
        f"  # event: something that happened; profile: what is so of somebody ({why})",
        f"  class: {kind}",
        "  # Adobe's own groups of fields, if records are to be mapped to those as well:",
        "  # field_groups: [profile-person-details, profile-personal-details]",
        "  # Your own fields; on the platform they lie below your tenant's namespace.",
        "  fields:",
    ]
    for path, seen in fields:
        told = f"in {seen.records:,} of {sample.records:,} records"
        if seen.is_mixed:
            kinds = ", ".join(sorted(each for each in seen.kinds if each != "null"))
            told += f"; of several types: {kinds}"
        lines.append(f"    - {{path: {_text(path)}, type: {seen.kind}}}  # {told}")
    return "\n".join([*lines, ""])


def _identities(fields: list[tuple[str, Seen]], *, is_event: bool) -> str:
    email = next((path for path, seen in fields if seen.kind == "email"), None)
    path = f"_tenant.{email or 'customer.id'}"
    namespace = "Email" if email else "CRMID"
    return f"""\
  # Who a record is about. Once a field is the primary identity, records without it are refused.
  # identities:
  #   - {{path: {path}, namespace: {namespace}, primary: true}}
  # Enables the schema for Real-Time Customer Profile, which is for good:
  # profile: true
"""


def _dataset(name: str) -> str:
    return f"""\
dataset:
  name: {_text(name)}
  # Records go to Real-Time Customer Profile and the Identity Service, too:
  # profile: true
  # identity: true
"""


def _mapping(fields: list[tuple[str, Seen]], moment: Seen | None) -> str:
    lines = [
        "# Which XDM field comes from what: `attribute` is a path in the records, `expression`",
        "# one in the Data Prep language, `constant` the same text for all records. _tenant stands",
        "# for your tenant's namespace.",
        "mapping:",
    ]
    if moment:
        lines += [
            "  # An event needs its time, and an _id that is the same when a record is sent again.",
            "  # Best is a field of its own: see `record_id` in the agent's configuration.",
            "  - {to: _id, attribute: _id}",
            f"  - {{to: timestamp, attribute: {_text(moment.path)}}}",
        ]
    for path, seen in fields:
        # a list of plain values is copied as a whole
        to, attribute = f"_tenant.{path}".removesuffix("[*]"), seen.path.removesuffix("[*]")
        lines.append(f"  - {{to: {_text(to)}, attribute: {_text(attribute)}}}")
    return "\n".join([*lines, ""])


def _foot(name: str) -> str:
    return f"""\
flow:
  name: {_text(name)}

agent:
  # The rest of the agent's configuration: `aep-agent check` explains it.
  settings:
    record_id:
      # gives every record an _id, made of its bytes, so that what arrives twice counts once
      add: content
    sources:
      - type: stdin
"""


def _named(sample: Sample) -> Iterator[tuple[str, Seen]]:
    """The XDM path of each field, below the tenant's namespace; no two are the same."""
    taken: dict[str, str] = {}  # by XDM path in lower case, its kind of place
    for seen in sample.fields.values():
        if seen.kinds.keys() == {"null"}:
            sample.left_out[f"{seen.path}: it is always null"] += 1
            continue
        path = _xdm_path(seen.path)
        if reason := _clash(path, taken):
            sample.left_out[f"{seen.path}: {reason}"] += 1
            continue
        names = path.split(".")
        for end in range(1, len(names)):
            taken.setdefault(_place(".".join(names[:end])), _shape(names[end - 1], inside=True))
        taken[_place(path)] = _shape(names[-1], inside=False)
        yield path, seen


def _clash(path: str, taken: dict[str, str]) -> str:
    names = path.split(".")
    if _place(path) in taken:
        return f"another field is called {path} already, or lies below it"
    for end in range(1, len(names)):
        above = _place(".".join(names[:end]))
        shape = _shape(names[end - 1], inside=True)
        if taken.get(above, shape) != shape:
            return f"{above} is both {taken[above]} and {shape}"
    return ""


def _place(path: str) -> str:
    return path.removesuffix("[*]").lower()


def _shape(name: str, *, inside: bool) -> str:
    kind = "an object" if inside else "a value"
    return f"a list, each {kind}" if name.endswith("[*]") else kind


def _xdm_path(path: str) -> str:
    """A path as XDM has it: names of letters, digits and _."""
    plain = _WRAPPED.sub(lambda found: re.sub(r"\\?\.", "_", found[1]), path)
    names = []
    for part in plain.split("."):
        name, list_mark, _ = part.partition("[*]")
        legal = re.sub(r"[^A-Za-z0-9_]+", "_", name)[:_NAME_CHARACTERS_MAX] or "_"
        legal = f"f_{legal}" if legal[0].isdigit() or legal in ("_", "_tenant") else legal
        names.append(f"{legal}{list_mark}")
    return ".".join(names)


def _is_moment(seen: Seen) -> bool:
    return seen.kind == "date-time" and seen.path in _TIMES


def _text(text: str) -> str:
    """A YAML scalar on one line."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", text)
    return text if plain and text.lower() not in ("null", "true", "false") else json.dumps(text)
