"""Does a client come from where clients may come from?"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = Sequence[IPv4Network | IPv6Network]


def comes_from(peer: object, networks: Networks) -> bool:
    """Whether an address as sockets give it is in one of the networks; in none, any will do."""
    if not networks or not isinstance(peer, tuple):
        return True
    address = ip_address(peer[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
