"""What in a manifest is allowed, and probably not meant?"""

from agent.aep.platform import Platform
from agent.provision.manifest.loading import Written
from agent.provision.objects.kind import Known


async def doubts(written: Written, platform: Platform, known: Known) -> list[str]:
    """What a person should look at before records come, a sentence each."""
    return []
