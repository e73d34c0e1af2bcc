"""How is a source made that takes records over HTTP?"""

from urllib.parse import urlsplit

from agent.config.envelope import XdmEnvelope
from agent.config.inlet import InletSettings
from agent.config.pushes import HttpSource
from agent.core.pushed import Unwrap
from agent.sources.source import Source
from agent.store.outcomes import Outcomes
from agent.telemetry.meters import Meters


def source(
    settings: HttpSource, inlet: InletSettings, outcomes: Outcomes, meters: Meters
) -> Source:
    """The source. Raises ConfigError where its token cannot be read."""
    # a web server is a lot to import for those who need none
    from agent.sources.push.requests import Target
    from agent.sources.push.source import PushSource

    target = Target(
        urlsplit(inlet.url).path.rstrip("/").rpartition("/")[2], inlet.flow_id, _unwrap(inlet)
    )
    return PushSource(settings, target, outcomes, meters)


def _unwrap(inlet: InletSettings) -> Unwrap | None:
    """How records are taken out of whole XDM messages, where the agent makes those itself."""
    envelope = inlet.envelope
    if not isinstance(envelope, XdmEnvelope):
        return None
    expected = {"datasetId": envelope.dataset_id, "schemaRef.id": envelope.schema_id}
    if inlet.flow_id:
        expected["flowId"] = inlet.flow_id
    return Unwrap(expected)
