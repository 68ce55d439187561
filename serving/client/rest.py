"""Speaks TF Serving's REST; imports no TensorFlow."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx

from serving.client.errors import ServerError, no_signature
from serving.client.rows import Rows
from serving.client.target import Target


class RestClient:
    """One model of one server, over HTTP; close it after use."""

    def __init__(self, target: Target, seconds: float) -> None:
        """Connects with the first request.

        Args:
            target: The server and the model.
            seconds: That one answer may take.
        """
        version = "" if target.version is None else f"/versions/{target.version}"
        self._url = f"{target.address}/v1/models/{quote(target.name, safe='')}{version}"
        self._http = httpx.Client(timeout=seconds, trust_env=not target.is_loopback)

    def close(self) -> None:
        """Ends the connection."""
        self._http.close()

    def inputs(self, signature: str) -> dict[str, str]:
        """Asks which inputs a signature has, and their types; see rpc.py."""
        body = self._ask("GET", f"{self._url}/metadata")
        try:
            signatures = body["metadata"]["signature_def"]["signature_def"]
            if signature not in signatures:
                raise no_signature(signature, signatures)
            inputs = signatures[signature]["inputs"]
            return {name: inputs[name]["dtype"] for name in sorted(inputs)}
        except (KeyError, TypeError):
            raise ServerError(f"The answer of {self._url}/metadata is not TF Serving's") from None

    def predict(self, signature: str, rows: Rows) -> list[dict[str, Any]]:
        """Asks for the outputs of some rows; see rpc.py."""
        columns = {name: [_encode(one) for one in column] for name, column in rows.columns.items()}
        instances = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        request = {"signature_name": signature, "instances": instances}
        body = self._ask("POST", f"{self._url}:predict", json.dumps(request))
        predictions = body.get("predictions") if isinstance(body, dict) else None
        if not isinstance(predictions, list) or len(predictions) != len(instances):
            raise ServerError(f"The answer of {self._url}:predict is not TF Serving's")
        # A single output comes without its name.
        return [one if isinstance(one, dict) else {"output": one} for one in predictions]

    def _ask(self, method: str, url: str, body: str | None = None) -> Any:
        try:
            answer = self._http.request(method, url, content=body)
        except httpx.TimeoutException:
            raise ServerError(f"No answer in time from {url}") from None
        except httpx.HTTPError as error:
            raise ServerError(f"{url} cannot be reached: {error}") from None
        try:
            content = answer.json()
        except ValueError:
            content = None
        if answer.status_code != 200:
            said = content.get("error") if isinstance(content, dict) else answer.text[:200]
            raise ServerError(f"The server refuses ({answer.status_code}): {said}")
        return content


def _encode(value: Any) -> Any:
    return {"b64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
