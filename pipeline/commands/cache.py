"""`graft cache`: what its options mean; feature_cache.py does it."""

import click

from pipeline.commands.as_json import AS_JSON, echo_json


@click.command()
@click.argument("place", required=False)
@click.option("--prune", is_flag=True, help="Delete what is beyond the limit, the oldest first.")
@click.option("--max-gb", type=click.FloatRange(min=0), help="--prune: leave so much.")
@click.option("--older-than", metavar="30d", help="--prune: delete what was not used for so long.")
@click.option("--all", "everything", is_flag=True, help="--prune: delete all.")
@AS_JSON
def cache(
    place: str | None,
    prune: bool,
    max_gb: float | None,
    older_than: str | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Show which feature vectors are kept for later runs, and delete of them.

    PLACE is a config, a working folder or a feature store; without it, the working
    folder .graft is meant. Runs that go on meanwhile compute anew what they miss.
    """
    if not prune and (max_gb is not None or older_than or everything):
        raise click.UsageError("--max-gb, --older-than and --all say what --prune deletes: add it")
    if everything and (max_gb is not None or older_than):
        raise click.UsageError("--all excludes --max-gb and --older-than")
    from pipeline import feature_cache

    age = None if older_than is None else feature_cache.parse_age(older_than)
    store = feature_cache.find_store(place)
    pruned = None
    if prune:
        # An age by itself leaves what is younger, however much it is.
        limit = store.max_bytes if age is None else float("inf")
        limit = limit if max_gb is None else max_gb * 1e9
        pruned = feature_cache.prune_store(store, 0.0 if everything else limit, age)
    content = feature_cache.look(store, pruned)
    if as_json:
        echo_json(content)
        return
    from pipeline.session import console

    feature_cache.render_cache(content, console())
