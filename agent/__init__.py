"""aep-agent: JSON records into Adobe Experience Platform, with a verdict for every record."""

__version__ = "0.1.0"
