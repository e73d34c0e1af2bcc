"""What tests of the Schema Registry share: bodies of components, and how one is made."""

from typing import Any

from support.platform import Answered, Calls

ROOT = "/data/foundation/schemaregistry"
PROFILE = "https://ns.adobe.com/xdm/context/profile"
EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
DETAILS = "https://ns.adobe.com/xdm/context/profile-person-details"
PERSONAL = "https://ns.adobe.com/xdm/context/profile-personal-details"
WORK = "https://ns.adobe.com/xdm/context/profile-work-details"
ID = "application/vnd.adobe.xed-id+json"
XED = "application/vnd.adobe.xed+json"
TUTORIAL: dict[str, Any] = {
    "type": "object",
    "title": "Sample schema for a streaming connector",
    "description": "Sample schema for a streaming connector",
    "allOf": [{"$ref": PROFILE}, {"$ref": DETAILS}, {"$ref": PERSONAL}],
    "meta:containerId": "tenant",
    "meta:resourceType": "schemas",
    "meta:xdmType": "object",
    "meta:class": PROFILE,
}
LOYALTY: dict[str, Any] = {
    "title": "Loyalty",
    "description": "Fields of our own",
    "type": "object",
    "meta:intendedToExtend": [PROFILE],
    "definitions": {
        "own": {
            "properties": {
                "_emulated": {
                    "type": "object",
                    "properties": {
                        "loyaltyId": {"title": "Loyalty id", "type": "string"},
                        "points": {"type": "integer", "minimum": 0},
                    },
                }
            }
        }
    },
    "allOf": [{"$ref": "#/definitions/own"}],
}


def accepting(form: str) -> dict[str, str]:
    return {"Accept": form}


async def made(calls: Calls, kind: str, body: dict[str, Any], **changed: Any) -> Any:
    answer = await calls.post(f"{ROOT}/tenant/{kind}", body | changed)
    assert answer.status == 201, answer.body
    return answer.body


def code(answer: Answered) -> str:
    return str(answer.body["type"]).rpartition("/")[2]


IDENTITY = {
    "@type": "xdm:descriptorIdentity",
    "xdm:sourceVersion": 1,
    "xdm:sourceProperty": "/_emulated/loyaltyId",
    "xdm:namespace": "Loyalty",
    "xdm:property": "xdm:code",
    "xdm:isPrimary": True,
}


async def with_loyalty(calls: Calls) -> Any:
    group = await made(calls, "fieldgroups", LOYALTY)
    return await made(calls, "schemas", TUTORIAL, allOf=[{"$ref": PROFILE}, {"$ref": group["$id"]}])


async def describe(calls: Calls, schema: Any, **changed: Any) -> Answered:
    body = {**IDENTITY, "xdm:sourceSchema": schema["$id"], **changed}
    return await calls.post(f"{ROOT}/tenant/descriptors", body)
