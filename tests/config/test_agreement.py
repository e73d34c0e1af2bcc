"""Is the user warned of what is allowed but probably not meant?"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agent.config.model import Config


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("inlet: {max_request_bytes: 2MB}", "inlet.max_request_bytes is 2MB: the platform docu"),
        ("inlet: {url: 'https://x/y'}", "inlet.url has no /collection/ in it, where batches"),
        ("inlet: {url: 'http://x/collection/1'}", "inlet.url is http: records and tokens cross"),
        ("inlet: {tls: {verify: false}}", "inlet.tls.verify is off: whoever is on the way"),
        (
            "inlet: {credentials: {client_id: i, client_secret: s, token_url: 'http://x/y'}}",
            "inlet.credentials.token_url is http: the secret crosses the network",
        ),
        ("admin: {listen: '0.0.0.0:9600'}", "admin.listen is 0.0.0.0:9600: others can read"),
        ("admin: {listen: '[::]:9600'}", "admin.listen is [::]:9600: others can read"),
        (
            "admin: {listen: '0.0.0.0:9600', token: long-enough}",
            "admin.listen is 0.0.0.0:9600 without tls: who listens on the network",
        ),
        (
            "inlet: {envelope: {type: xdm, schema_id: s, dataset_id: d}}\n"
            "record_id: {add: content, field: key}",
            "record_id.field is key: Profile goes by _id",
        ),
        (
            "sources: [{type: http, listen: '0.0.0.0:8080'}]",
            "http 0.0.0.0:8080 listens on 0.0.0.0:8080: whoever reaches it can send records",
        ),
        (
            "sources: [{type: tcp, listen: '0.0.0.0:5170'}]",
            "tcp 0.0.0.0:5170 listens on 0.0.0.0:5170: whoever reaches it can send records",
        ),
        ("shutdown: {grace: 40s}", "shutdown.grace is above 25s: Kubernetes kills after 30s"),
    ],
)
def test_a_doubtful_setting_is_a_warning(
    configured: Callable[..., "Config"], text: str, warning: str
) -> None:
    environ = {"AEP_FLOW_ID": "f"}
    if "inlet: {url" not in text:
        environ["AEP_INLET_URL"] = "https://dcs.adobedc.net/collection/1"
    (found,) = configured(text, environ).warnings
    assert found.startswith(warning)


@pytest.mark.parametrize(
    "text",
    [
        "inlet: {url: 'http://127.0.0.1:8010/collection/1'}",
        "inlet: {url: 'http://localhost:8010/collection/1'}",
        "inlet: {url: 'http://[::1]:8010/collection/1'}",
        "inlet: {url: 'https://x/y', mode: single}",
        "inlet: {url: 'https://x/collection/1', max_request_bytes: 1MB}",
        "inlet: {url: 'https://x/collection/1'}\nrecord_id: {add: position, field: key}",
        "inlet: {url: 'https://x/collection/1'}\nadmin: {listen: '[::1]:9600'}",
        "inlet: {url: 'https://x/collection/1'}\nadmin: {listen: null}",
        "inlet: {url: 'https://x/collection/1'}\n"
        "admin: {listen: '0.0.0.0:9600', token: long-enough, trusted_network: true}",
        "inlet: {url: 'https://x/collection/1'}\nsources: [{type: http}]",
        "inlet: {url: 'https://x/collection/1'}\nsources: [{type: http, listen: 'systemd:web'}]",
        "inlet: {url: 'https://x/collection/1'}\nsources: [{type: http, listen: /run/a:b.sock}]",
        "inlet: {url: 'https://x/collection/1'}\n"
        "sources: [{type: http, listen: '0.0.0.0:1', allow: [10.0.0.0/8]}]",
        "inlet: {url: 'https://x/collection/1'}\n"
        "sources: [{type: http, listen: '[::]:1', token: secret}]",
    ],
)
def test_a_usual_setting_is_not(configured: Callable[..., "Config"], text: str) -> None:
    assert configured(text, {"AEP_FLOW_ID": "f"}).warnings == ()
