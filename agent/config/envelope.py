"""What is put round each record on its way to the inlet?"""

from typing import Annotated, Literal

from agent.config.fields import Text
from agent.config.section import ByType, Section, setting


class RawEnvelope(Section):
    """Records as they are; the platform maps them by the flow's mapping set."""

    type: Literal["raw"] = setting(
        description="raw: records as they are, mapped to XDM by the platform."
    )


class XdmEnvelope(Section):
    """Each record wrapped in the header and body of an XDM message."""

    type: Literal["xdm"] = setting(
        description="xdm: each record is an XDM entity, wrapped in header and body."
    )
    schema_id: Annotated[str, Text("the $id of the dataset's schema")] = setting(
        description="$id of the XDM schema of the records; it must be the dataset's schema.",
        examples=["https://ns.adobe.com/mytenant/schemas/0123456789abcdef"],
    )
    schema_content_type: Annotated[str, Text("a schema content type")] = setting(
        default="application/vnd.adobe.xed-full+json;version=1",
        description="Content type and version of the schema; the default is the documented one.",
    )
    ims_org_id: Annotated[str | None, Text("an IMS organisation id", optional=True)] = setting(
        default=None,
        description="IMS organisation; unset lets the platform fill in the inlet's own.",
        examples=["0123456789ABCDEF@AdobeOrg"],
    )
    dataset_id: Annotated[str, Text("the id of a dataset")] = setting(
        description="Id of the dataset that the records land in.",
        examples=["5f3c9e27a1b2c3d4e5f60718"],
    )
    source_name: Annotated[str | None, Text("a name", optional=True)] = setting(
        default=None,
        description="Source name in each message; unset lets the platform use the inlet's own.",
        examples=["web shop"],
    )


Envelope = Annotated[RawEnvelope | XdmEnvelope, ByType()]
