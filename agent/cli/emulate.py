"""How does somebody at a shell get an inlet of their own to send to?"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.emulator.faults import Script
    from agent.emulator.options import EmulatorOptions

HELP = "stand in for the platform on this machine: inlets, services, landed records"

_DESCRIPTION = """\
Answer as a streaming inlet of Adobe Experience Platform does, on this machine and without an
account. When it listens it prints one JSON line: {"listening", "inlet_url", "flow_id"}, and with
--ims "token_url" and "client_id".

The records it accepts are kept byte for byte. Look into it and steer it while it runs, in a browser
at / or with:
  GET    /_emulator/records     accepted records, one a line (?flow_id= ?since=N ?limit=N ?ids=1)
  DELETE /_emulator/records     forget them
  GET    /_emulator/rejected    refused records and why (/reasons: how often each)
  GET    /_emulator/inlets      what can be sent to, and how
  GET    /_emulator/stats       counters (/_emulator/throughput: records by the second)
  DELETE /_emulator/tokens      revoke the tokens that were issued
  PUT    /_emulator/faults      a script of faults (GET shows it with counts, DELETE ends it)

What provisioned flows accept is mapped and validated in the background, and lands or fails. All of
these take ?wait=SECONDS, to answer once everything is judged:
  GET    /_emulator/flows          flows: how many records landed, failed, wait, were lost and why
  GET    /_emulator/datasets       datasets; /ID its rows (?limit= ?offset=), or one ?sql=SELECT
  GET    /_emulator/failed         records that did not land, with the platform's words (/batches,
                                   /reasons: how often each)
  GET    /_emulator/profiles       what Profile knows (?identity=)
  PUT    /_emulator/traps          set traps of the platform (GET shows them and what they mean)
  POST   /_emulator/settle         wait until everything accepted is judged
"""

_EPILOG = """\
faults:
  A script is a list of rules in YAML or JSON, each with effects and, in `when`, what they apply
  to. --fault takes one rule as text; it may be given several times.
    when:     path=single|batch|token|platform  encoding=gzip|identity  matching=REGEX
              after=N  every=K  requests=N  probability=P
    answer:   status=503  body=html|empty|problem  body_is=error_in_200  retry_after=2
              hang=true|SECONDS  reset=BYTES  accept_then_reset=true  truncate=BYTES  accept=true
    items:    reject=400,message=TEXT  dialect=documented|observed|mixed  drop_items=N|0.P
              add_items=N  shuffle_items=true  strip_ids=accepted|rejected|all  ids=opaque
              received_time_ms=string|number  inlet_id_spelling=inletID
    both:     delay=SECONDS
  config/faults.example.yaml explains all of them.

platform:
  The services that set an inlet up answer on their own paths below /data/foundation/, with the
  platform's ids, etags, pages and errors: flowservice, schemaregistry, catalog, conversion, export
  and sandbox-management; metrics are below /data/infrastructure/observability/insights. Without
  --ims any token, key and organisation will do:
    curl -s -H 'Authorization: Bearer x' -H 'x-api-key: x' -H 'x-gw-ims-org-id: x' \\
      http://127.0.0.1:8010/data/foundation/flowservice/flowSpecs
  A base connection of the HTTP API has an inlet at once, in the old form a source connection has
  it. Records of its flows are judged, and land; the ready-made inlet only keeps what it accepts.

  The tenant is `emulated`: own fields lie below `_emulated`. Sandboxes but `prod` are made first:
    POST /data/foundation/sandbox-management/sandboxes {"name", "title", "type": "development"}

traps:
  What the platform does silently to good records; --trap NAME=VALUE, several times.
    warm_up=300             what a flow accepts in so many seconds after it was made is lost
    schema_cache=900        changed schemas and mappings are not seen for so long
    event_bytes=10000  profile_bytes=100000    longer ones land, but not in Profile (0: any)
    capacity=1500           records/s of all, over capacity_window=900 seconds; more are skipped
    requests_per_second=1000  retry_after=2    more are answered 429, with Retry-After or none
    sync_validations=60  sync_validation_here=false    requests a minute; 501 as in other places
    allow=10.0.0.0/8        everybody else gets a 403 without a body
    dialect=observed  token_life=60

not emulated:
  reading from Kinesis, Event Hubs and PubSub (their flows can be made, but no record comes that
  way), other connectors, exploring a connection, drafts of flows, actions of providers,
  permissions, the signatures of JWTs, samples, audit logs, export and import of schemas, files of
  batches that landed (see /_emulator/datasets), the Smile encoding, TLS. Batches land after a
  moment, not after minutes. Profile merges by the primary identity only: no identity graph, merge
  policies, segments or expiry. Of the mapping language: fpid_to_ecid (how it works is not
  published: it gives null and a warning) and what is beyond microseconds; user agents are told
  apart by a small table, not by Yauaa's rules.

examples:
  aep-agent emulate
  aep-agent emulate --listen 127.0.0.1:0 --data ./landed --dialect observed
  aep-agent emulate --fault 'status=503,retry_after=2,requests=3'
  aep-agent emulate --ims --token-life 60 --fault 'path=token,status=500,every=2'
  aep-agent emulate --fault 'reject=400,message=no such schema,matching="bad":true'
  aep-agent emulate --data ./platform --trap warm_up=300 --trap allow=127.0.0.0/8
  curl -s http://127.0.0.1:8010/_emulator/records | head
  curl -sG 'http://127.0.0.1:8010/_emulator/datasets/ID' --data-urlencode \\
    'sql=select person.name.lastName, count(*) from dataset group by all'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("--listen", default="127.0.0.1:8010", metavar="HOST:PORT", help="port 0 takes a free one")
    add("--data", type=Path, metavar="DIR", help="keep everything here, over a restart")
    add("--faults", type=Path, metavar="FILE", help="a script of faults, YAML or JSON")
    add("--fault", action="append", default=[], metavar="RULE", help="one fault (see below)")
    gzip = parser.add_mutually_exclusive_group()
    gzip.add_argument(
        "--accept-gzip",
        dest="gzip",
        action="store_true",
        default=True,
        help="take gzip bodies (the default)",
    )
    gzip.add_argument(
        "--refuse-gzip", dest="gzip", action="store_false", help="answer 415 to gzip bodies"
    )
    add(
        "--dialect",
        choices=("documented", "observed"),
        default="documented",
        help="how the answers to a batch are written (default: documented)",
    )
    add("--token", help="make the inlet an authenticated one that asks for this token")
    _add_ims_arguments(parser)
    add("--inlet-id", metavar="HEX", help="64 hexadecimal digits (there is a fixed default)")
    add(
        "--flow-id",
        action="append",
        metavar="UUID",
        help="the flow it knows (there is a fixed default); again for further ones",
    )
    add(
        "--trap",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one trap of the platform (see below)",
    )
    add("--latency", type=float, default=0.0, metavar="MS", help="be so late with every answer")
    add(
        "--xdm",
        nargs="?",
        const=True,
        metavar="DIR",
        help="an inlet for XDM messages, not raw records; with a directory: its *.schema.json are "
        "the XDM components that there are",
    )
    add("--ims-org-id", metavar="ID", help="with --xdm: refuse messages of another organisation")
    add(
        "--max-request-bytes",
        type=int,
        default=1_000_000,
        metavar="N",
        help="answer 413 above this, uncompressed (default: 1000000)",
    )


def _add_ims_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--ims", action="store_true", help="issue tokens, also for JWTs, and ask for them")
    add(
        "--client-id",
        metavar="ID",
        help="the client they are issued to (as --ims; emulated-client)",
    )
    add("--client-secret", metavar="TEXT", help="its secret (default: emulated-secret)")
    add(
        "--token-life",
        type=float,
        metavar="SECONDS",
        help="how long a token is good (default: 86399)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM; exit code 0. Raises AgentError where it cannot listen."""
    from agent.emulator.faults import Script
    from agent.emulator.rules import load_script, parse_lines

    options = _options(args)
    script = load_script(args.faults) if args.faults else Script()
    script = Script((*script.rules, *parse_lines(args.fault)), script.seed)
    _runner()(_serve(options, script))
    return 0


def _options(args: argparse.Namespace) -> "EmulatorOptions":
    from agent.emulator.options import (
        CLIENT_ID,
        CLIENT_SECRET,
        FLOW_ID,
        INLET_ID,
        TOKEN_LIFE,
        EmulatorOptions,
    )
    from agent.emulator.traps import parse_lines as parse_traps

    flow_id, *more_flow_ids = args.flow_id or [FLOW_ID]
    return EmulatorOptions(
        listen=args.listen,
        directory=args.data,
        inlet_id=args.inlet_id or INLET_ID,
        flow_id=flow_id,
        more_flow_ids=tuple(more_flow_ids),
        xdm=args.xdm is True,
        components=Path(args.xdm) if isinstance(args.xdm, str) else None,
        dialect=args.dialect,
        gzip=args.gzip,
        token=args.token,
        client_id=args.client_id if args.client_id is not None or not args.ims else CLIENT_ID,
        client_secret=CLIENT_SECRET if args.client_secret is None else args.client_secret,
        token_life=TOKEN_LIFE if args.token_life is None else args.token_life,
        ims_org_id=args.ims_org_id,
        traps=parse_traps(args.trap),
        latency=args.latency / 1000,
        max_request_bytes=args.max_request_bytes,
    )


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """How to run a coroutine: on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


async def _serve(options: "EmulatorOptions", script: "Script") -> None:
    from agent.emulator.server import Emulator

    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop.set)
    async with Emulator(options, script) as emulator:
        line = {
            "listening": emulator.listening,
            "inlet_url": emulator.inlet_url,
            "flow_id": emulator.flow_id,
        }
        if emulator.token_url:
            line |= {"token_url": emulator.token_url, "client_id": str(options.client_id)}
        print(json.dumps(line), flush=True)
        if sys.stderr.isatty():
            print(f"Look at {emulator.listening}/ in a browser; Ctrl-C ends it.", file=sys.stderr)
        await asked_to_stop.wait()
