"""Libraries: what one is copied from hears nothing of what is added to the copy or taken away."""

from agent.xdm import Library

PROFILE = "https://ns.adobe.com/xdm/context/profile"
OWN = {"$id": "https://ns.adobe.com/acme/datatypes/own", "title": "Own"}


def test_a_copy_is_a_library_of_its_own() -> None:
    library = Library.standard()
    copied = library.copy()

    copied.add(OWN)
    copied.remove(PROFILE)

    assert copied.get("_acme.datatypes.own") is not None
    assert copied.get(PROFILE) is None
    assert library.get(OWN["$id"]) is None
    assert library.get("_xdm.context.profile") is not None
