"""Why an export cannot be made or must not be used: it alone is refused."""


class ExportError(Exception):
    """An export is refused; the message is one sentence for the summary."""
