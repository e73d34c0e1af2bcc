import gzip
import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

from benchmarks.pipeline import RunningSink


def post(connection: HTTPConnection, path: str, body: bytes, *, gzipped: bool = False) -> object:
    headers = {"Content-Encoding": "gzip"} if gzipped else {}
    connection.request("POST", path, gzip.compress(body) if gzipped else body, headers)
    answer = connection.getresponse()
    assert answer.status == 207
    return json.loads(answer.read())


def test_every_record_gets_an_id_whether_gzipped_or_not() -> None:
    body = b'{"messages":[' + b",\n".join(b'{"n":%d}' % n for n in range(40)) + b"]}"
    with RunningSink() as sink:
        inlet = urlsplit(sink.inlet_url.replace("/collection/", "/collection/batch/"))
        connection = HTTPConnection(inlet.netloc, timeout=5)
        answers = [post(connection, inlet.path, body, gzipped=gzipped) for gzipped in (True, False)]
        connection.close()
        counted = sink.stats()
    for answer in answers:
        assert isinstance(answer, dict)
        ids = [item["xactionId"] for item in answer["responses"]]
        assert ids == [f"{answer['batchId']}:{index}" for index in range(40)]
    assert len({answer["batchId"] for answer in answers if isinstance(answer, dict)}) == 2
    assert counted["records"] == 80
    assert counted["requests"] == 2
    assert counted["gzipped"] == 1
    assert counted["largest_plain"] == len(body)
    assert counted["connections"] == 2  # one for both posts, one for `stats`
    assert counted["cpu_seconds"] > 0


def test_a_request_that_is_no_batch_is_refused_and_not_counted() -> None:
    with RunningSink() as sink:
        inlet = urlsplit(sink.inlet_url)
        connection = HTTPConnection(inlet.netloc, timeout=5)
        connection.request("POST", inlet.path, b"{}")
        assert connection.getresponse().status == 404
        connection.close()
        assert sink.stats()["requests"] == 0


def test_a_stalled_sink_answers_once_it_resumes() -> None:
    with RunningSink("--stall") as sink:
        inlet = urlsplit(sink.inlet_url.replace("/collection/", "/collection/batch/"))
        connection = HTTPConnection(inlet.netloc, timeout=5)
        connection.request("POST", inlet.path, b'{"messages":[{}]}')
        assert connection.sock is not None
        connection.sock.settimeout(0.2)
        try:
            early: object = connection.sock.recv(1)
        except TimeoutError:
            early = None
        assert early is None
        connection.sock.settimeout(5)
        sink.resume()
        assert connection.getresponse().status == 207
        connection.close()
