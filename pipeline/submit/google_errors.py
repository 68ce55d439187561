"""What Google's clients raise, in words that say what to do.

Another failure is a clause in `_translate`.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from pipeline.submit.platform import UnreachableError
from preprocessing.errors import GraftError, UsageError, explain

_LOGIN = "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS"


@contextlib.contextmanager
def explained(service: str, where: str) -> Iterator[None]:
    """Turns what Google's clients raise into a UsageError; anything else passes.

    Args:
        service: What is asked, for the message.
        where: Project and location, for the message.
    """
    try:
        yield
    except GraftError:
        raise
    except Exception as error:
        translated = _translate(error, service, where)
        if translated is None:
            raise
        raise translated from error


def _translate(error: Exception, service: str, where: str) -> UsageError | None:
    import requests
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    said = str(getattr(error, "message", "") or error).strip().split("\n")[0]
    if isinstance(error, auth.DefaultCredentialsError):
        return UsageError(explain("There are no credentials for Google Cloud", said, (), _LOGIN))
    if isinstance(
        error, auth.TransportError | requests.exceptions.ConnectionError | requests.Timeout
    ):
        return UnreachableError(explain(f"{service} does not answer", said))
    if isinstance(error, auth.GoogleAuthError):
        return UsageError(explain("Google Cloud does not take the credentials", said, (), _LOGIN))
    if isinstance(error, api.ServerError | api.TooManyRequests | api.RetryError):
        return UnreachableError(explain(f"{service} cannot answer now", said))
    if isinstance(error, api.Unauthorized):
        return UsageError(explain(f"{service} does not take the credentials", said, (), _LOGIN))
    if isinstance(error, api.Forbidden):
        return UsageError(_explain_forbidden(error, service, where, said))
    if isinstance(error, api.NotFound):
        what = f"{service} finds nothing at {where}: is deploy.vertex right?"
        return UsageError(explain(what, said))
    if isinstance(error, api.ClientError):
        return UsageError(explain(f"{service} refuses the pipeline", said))
    if isinstance(error, ValueError):
        return UsageError(explain(f"The client of {service} refuses the pipeline", said))
    return None


def _explain_forbidden(error: Any, service: str, where: str, said: str) -> str:
    # Over REST, details are JSON.
    reasons = {one.get("reason"): one.get("metadata", {}) for one in error.details}
    disabled = reasons.get("SERVICE_DISABLED")
    if disabled is not None:
        name = disabled.get("service", "aiplatform.googleapis.com")
        see = f"gcloud services enable {name} --project {where.split('/')[1]}"
        return explain(f"The API of {service} is not enabled", said, (), see)
    see = "the roles Vertex AI User and, on the service account, Service Account User"
    return explain(f"{service} does not allow it at {where}", said, (), see)
