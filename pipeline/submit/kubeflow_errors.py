"""What kfp's client raises and Kubeflow's API answers, in words that say what to do."""

import contextlib
import json
from collections.abc import Iterator

from pipeline.submit.platform import UnreachableError
from preprocessing.errors import GraftError, UsageError, explain

_LOGIN = "KFP_TOKEN or KFP_COOKIE in the environment; docs/deploy.md"


@contextlib.contextmanager
def explained(endpoint: str) -> Iterator[None]:
    """Turns what kfp's client raises into a UsageError; anything else passes.

    Args:
        endpoint: What is asked, for the message.
    """
    try:
        yield
    except GraftError:
        raise
    except Exception as error:
        import kfp_server_api
        import urllib3

        if isinstance(error, kfp_server_api.ApiException):
            raise refused(endpoint, error.status, error.body or error.reason or "") from error
        if isinstance(error, urllib3.exceptions.HTTPError):
            what = f"Kubeflow Pipelines does not answer: {error}"
            raise UnreachableError(explain(what, endpoint)) from error
        if isinstance(error, ValueError):
            what = f"kfp's client refuses the pipeline: {str(error).splitlines()[0]}"
            raise UsageError(explain(what, endpoint)) from error
        raise


def refused(endpoint: str, status: int, body: str | bytes) -> UsageError:
    """Explains an answer that is not the wanted one.

    Args:
        endpoint: Who answered.
        status: HTTP's; 302 for a way to a login page, 404 for anything that is no API.
        body: What was answered.

    Returns:
        The error to raise.
    """
    said = _read_message(body)
    if status in (301, 302, 303, 307, 308, 401):
        what = "Kubeflow Pipelines wants credentials, or others"
        return UsageError(explain(what, said or f"HTTP {status} from {endpoint}", (), _LOGIN))
    if status == 403:
        what = f"Kubeflow Pipelines at {endpoint} does not allow it"
        see = "deploy.kubeflow.namespace, and the user's rights in it"
        return UsageError(explain(what, said or f"HTTP {status}", (), see))
    if status == 404:
        what = "No API of Kubeflow Pipelines 2 is at this address; it may want /pipeline at its end"
        return UsageError(explain(what, endpoint, (), "deploy.kubeflow.endpoint"))
    if status >= 500 or status == 429:
        what = f"Kubeflow Pipelines at {endpoint} cannot answer now"
        return UnreachableError(explain(what, said or f"HTTP {status}"))
    return UsageError(explain("Kubeflow Pipelines refuses the pipeline", said or f"HTTP {status}"))


def _read_message(body: str | bytes) -> str:
    """Returns the one line that an answer's JSON has for people; empty without it."""
    try:
        read = json.loads(body)
        message = str(read.get("error_message") or read.get("message") or read.get("error") or "")
    except (AttributeError, ValueError):
        return ""
    return message.strip().split("\n")[0]
