"""Where do records come from: an HTTP inlet, or a stream in somebody's cloud?

Credentials are read where they are used, from the environment or a file, and go nowhere else.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from agent.config.fields import FilePath, Text, Token
from agent.config.masking import SECRET, Secret
from agent.config.section import ByType, Section, checks_section, setting
from agent.config.written import Wrong

DataType = Literal["raw", "xdm"]
_WHICH = "raw: records as they are, mapped by the platform; xdm: records that are XDM already."
_FILE = "the path of a file"


class HttpInlet(Section):
    """An HTTP API source: an inlet, to which the agent sends."""

    type: Literal["http"] = setting(description="http: an inlet that takes records over HTTP.")
    data_type: DataType = setting(default="raw", description=_WHICH)
    authenticated: bool = setting(
        default=False,
        description="Whether the inlet asks for tokens; else whoever knows its URL can send.",
    )


class Kinesis(Section):
    """A stream of Amazon Kinesis, from which the platform reads."""

    type: Literal["kinesis"] = setting(description="kinesis: a stream of Amazon Kinesis.")
    data_type: DataType = setting(default="raw", description=_WHICH)
    stream: Annotated[str, Token("the name of a stream")] = setting(
        description="Name of the stream.", examples=["orders"]
    )
    region: Annotated[str, Token("an AWS region")] = setting(
        description="Region of the stream.", examples=["eu-west-1"]
    )
    reset: Literal["latest", "earliest"] = setting(
        default="latest", description="Where reading begins: at new records, or at the oldest."
    )
    access_key_id: Annotated[Secret, Token("an access key id")] = setting(
        description="Access key id of who may read the stream.",
        examples=["${AWS_ACCESS_KEY_ID}"],
        json_schema_extra=SECRET,
    )
    secret_key: Annotated[Secret | None, Token("a secret key", optional=True)] = setting(
        default=None,
        description="Secret access key, from a variable; or secret_key_file.",
        examples=["${AWS_SECRET_ACCESS_KEY}"],
        json_schema_extra=SECRET,
    )
    secret_key_file: Annotated[Path | None, FilePath(_FILE, optional=True)] = setting(
        default=None,
        description="File holding the secret access key.",
        examples=["/run/secrets/aws-secret-key"],
    )

    @checks_section
    def _one_secret(self) -> Self:
        _either(self, "secret_key")
        return self


class EventHubs(Section):
    """An event hub of Azure, from which the platform reads."""

    type: Literal["eventhubs"] = setting(description="eventhubs: an event hub of Azure.")
    data_type: DataType = setting(default="raw", description=_WHICH)
    namespace: Annotated[str, Token("the name of a namespace")] = setting(
        description="Event Hubs namespace.", examples=["acme-events"]
    )
    event_hub: Annotated[str, Token("the name of an event hub")] = setting(
        description="Name of the event hub.", examples=["orders"]
    )
    consumer_group: Annotated[str, Text("the name of a consumer group")] = setting(
        default="$Default",
        description="Consumer group; each flow needs one of its own.",
        examples=["$$Default"],
    )
    reset: Literal["latest", "earliest"] = setting(
        default="earliest", description="Where reading begins: at new records, or at the oldest."
    )
    sas_key_name: Annotated[str, Text("the name of a key")] = setting(
        description="Name of the shared access key.", examples=["platform-reader"]
    )
    sas_key: Annotated[Secret | None, Token("a shared access key", optional=True)] = setting(
        default=None,
        description="Shared access key, from a variable; or sas_key_file.",
        examples=["${AZURE_SAS_KEY}"],
        json_schema_extra=SECRET,
    )
    sas_key_file: Annotated[Path | None, FilePath(_FILE, optional=True)] = setting(
        default=None,
        description="File holding the shared access key.",
        examples=["/run/secrets/azure-sas-key"],
    )

    @checks_section
    def _one_secret(self) -> Self:
        _either(self, "sas_key")
        return self


class PubSub(Section):
    """A subscription of Google PubSub, from which the platform reads."""

    type: Literal["pubsub"] = setting(description="pubsub: a subscription of Google PubSub.")
    data_type: DataType = setting(default="raw", description=_WHICH)
    project: Annotated[str | None, Token("the id of a project", optional=True)] = setting(
        default=None,
        description="Project the credentials are for; unset: they are for one subscription only.",
        examples=["acme-prod"],
    )
    topic: Annotated[str, Token("the name of a topic")] = setting(
        description="Name of the topic.", examples=["orders"]
    )
    subscription: Annotated[str, Token("the name of a subscription")] = setting(
        description="Name of the subscription; each flow needs one of its own.",
        examples=["orders-platform"],
    )
    credentials: Annotated[Secret | None, Text("a key in JSON", optional=True)] = setting(
        default=None,
        description="Key of a service account, JSON on one line, from a variable; or a file.",
        examples=["${GOOGLE_CREDENTIALS}"],
        json_schema_extra=SECRET,
    )
    credentials_file: Annotated[Path | None, FilePath(_FILE, optional=True)] = setting(
        default=None,
        description="File holding the key of the service account, JSON.",
        examples=["/run/secrets/google-key.json"],
    )

    @checks_section
    def _one_secret(self) -> Self:
        _either(self, "credentials")
        return self


Source = Annotated[HttpInlet | Kinesis | EventHubs | PubSub, ByType()]


def _either(settings: Section, key: str) -> None:
    told, file = getattr(settings, key), getattr(settings, f"{key}_file")
    if (told is None) == (file is None):
        raise Wrong(f"either {key} or {key}_file, and one of the two", key=f"{key}_file")
