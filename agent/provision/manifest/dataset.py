"""Where do records land: in a dataset that is made, or in one that exists?"""

from typing import Annotated, Self

from agent.config.fields import Text, Token
from agent.config.section import Section, checks_section, setting
from agent.config.written import Wrong


class DatasetSettings(Section):
    """dataset: where records land."""

    id: Annotated[str | None, Token("the id of a dataset", optional=True)] = setting(
        default=None,
        description="Id of a dataset that exists; nothing of it is changed.",
        examples=["5f3c9e27a1b2c3d4e5f60718"],
    )
    name: Annotated[str | None, Text("a name", optional=True)] = setting(
        default=None,
        description="Name of the dataset to make, by which it is found again; unset: flow.name.",
        examples=["Orders"],
    )
    description: Annotated[str | None, Text("a description on one line", optional=True)] = setting(
        default=None, description="What is in it."
    )
    profile: bool = setting(
        default=False,
        description="Whether its records go to Real-Time Customer Profile, too.",
    )
    identity: bool = setting(
        default=False, description="Whether its identities go to the Identity Service, too."
    )
    upsert: bool = setting(
        default=False,
        description="Whether records change what Profile has of somebody, instead of replacing it.",
    )

    @checks_section
    def _fits(self) -> Self:
        if self.id is not None:
            for key in ("name", "description", "profile", "identity", "upsert"):
                if getattr(self, key):
                    raise Wrong("nothing here beside dataset.id: that dataset is not changed", key)
        if self.upsert and not self.profile:
            raise Wrong("false, or `profile: true` beside it: upserts are for Profile", "upsert")
        return self

    @property
    def tags(self) -> dict[str, list[str]]:
        """The tags that say so, as Catalog has them."""
        enabled = "enabled:true"
        upsert = ["isUpsert:true"] if self.upsert else []
        profile = {"unifiedProfile": [enabled, *upsert]} if self.profile else {}
        return {**profile, **({"unifiedIdentity": [enabled]} if self.identity else {})}
