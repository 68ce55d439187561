"""REST as TF Serving speaks it, https://www.tensorflow.org/tfx/serving/api_rest."""

import asyncio
import functools
import inspect
import json
import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from absl import logging
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.server.predictor import Predictor
from serving.server.refusal import Code, Refusal, invalid, too_late
from serving.server.rows import is_rows, parse_request, signature_of, to_arrays, to_json

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(_MODEL + r":(?P<verb>predict|classify|regress)", re.IGNORECASE)
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
_LARGEST_VERSION = 2**63 - 1
# What is sent beyond a limit is read and dropped up to so many times the limit,
# since many clients look for an answer only when they have sent everything.
_DROPPED = 8


class Rest:
    """The HTTP side of the server."""

    def __init__(self, predictor: Predictor) -> None:
        """Prepares the application.

        Args:
            predictor: Answers.
        """
        self._predictor = predictor
        self._threads = ThreadPoolExecutor(predictor.limits.max_requests, "rest")
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    async def _answer(self, request: Request) -> Response:
        try:
            body = await self._dispatch(request)
        except Refusal as error:
            return _json(json.dumps({"error": str(error)}).encode(), error.http)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:
            logging.exception("A request failed")
            text = f"{type(error).__name__}: {error}"[:200]
            return _json(json.dumps({"error": text}).encode(), 500)
        return _json(body)

    async def _dispatch(self, request: Request) -> bytes:
        path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii", "replace")
        path = path.partition("?")[0]
        if not path.lower().startswith("/v1/"):
            raise Refusal(Code.NOT_FOUND, f"Not found: {path}")
        if request.method == "GET" and (found := _STATUS.fullmatch(path)):
            what = _metadata if found["metadata"] else _status
            return what(self._predictor, *_asked(found))
        if request.method == "POST" and (found := _PREDICT.fullmatch(path)):
            return await self._predict(request, found)
        raise invalid(f"Malformed request: {request.method} {path}")

    async def _predict(self, request: Request, found: re.Match[str]) -> bytes:
        name, version = _asked(found)
        if found["verb"].lower() != "predict":
            raise Refusal(Code.UNIMPLEMENTED, "The local server answers predict only")
        seconds = self._predictor.limits.max_seconds
        deadline = time.monotonic() + seconds

        async def read_and_run() -> bytes:
            body = await self._read(request)
            run = functools.partial(self._run, name, version, body, deadline)
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)

        with self._predictor.gate.place():
            try:
                return await asyncio.wait_for(read_and_run(), seconds)
            except asyncio.TimeoutError:
                raise too_late() from None

    async def _read(self, request: Request) -> bytes:
        """Reads a request's body, within the limit."""
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise Refusal(
                Code.INVALID_ARGUMENT, f"Content-Encoding {encoding} is not understood", 415
            )
        limit = self._predictor.limits.max_bytes
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > _DROPPED * limit:
                break
        if size > limit:
            what = f"The request has more than {limit} bytes"
            raise Refusal(Code.RESOURCE_EXHAUSTED, what, 413)
        return b"".join(chunks)

    def _run(self, name: str, version: int | None, body: bytes, deadline: float) -> bytes:
        predictor = self._predictor
        with predictor.turn(name, version, deadline) as (_, model):
            request = parse_request(body)
            signature = signature_of(request)
            wanted = model.signature(signature)
            inputs = to_arrays(request, wanted.inputs, predictor.limits.max_batch)
            outputs = predictor.run(model, signature, inputs)
        return to_json(outputs, rows=is_rows(request))


def _asked(found: re.Match[str]) -> tuple[str, int | None]:
    """Reads which model is asked for, and which version of it."""
    if found["label"]:
        raise invalid(
            f"Unrecognized servable version label: {urllib.parse.unquote(found['label'])}"
        )
    version = int(found["version"]) if found["version"] else None
    if version is not None and version > _LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {found['version']} to numeric.")
    return urllib.parse.unquote(found["name"]), version


def _status(predictor: Predictor, name: str, version: int | None) -> bytes:
    states = [
        {
            "version": str(one.number),
            "state": one.state,
            "status": {
                "error_code": "UNKNOWN" if one.error else "OK",
                "error_message": one.error,
            },
        }
        for one in predictor.states(name, version)
    ]
    return json.dumps({"model_version_status": states}, indent=1).encode()


def _metadata(predictor: Predictor, name: str, version: int | None) -> bytes:
    with predictor.lease(name, version) as (number, model):
        signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signatures)
    spec = {"name": name, "signature_name": "", "version": str(number)}
    body = {"model_spec": spec, "metadata": {"signature_def": message_to_dict(signatures)}}
    return json.dumps(body, indent=1).encode()


def message_to_dict(message: Message) -> dict[str, Any]:
    """Spells a message as TF Serving does: with the proto's names, and with defaults."""
    # protobuf 5 renamed the option.
    arguments = inspect.signature(json_format.MessageToDict).parameters
    names = ("always_print_fields_with_no_presence", "including_default_value_fields")
    defaults = {name: True for name in names if name in arguments}
    return json_format.MessageToDict(message, preserving_proto_field_name=True, **defaults)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
