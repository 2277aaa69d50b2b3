"""`comment`."""

import os
from pathlib import Path

import click

from publisher.cli.console import Console
from publisher.cli.options import option, pass_console, run
from publisher.comment import CommentError, Forge, GitHub, GitLab, RefusedTokenError, place

_SETTINGS = {
    "github": ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"),
    "gitlab": ("CI_API_V4_URL", "CI_PROJECT_ID", "JWKS_REVIEW_TOKEN"),
}
_DONE = {
    "made": "the review is a new comment",
    "edited": "the review replaces the one before, in its comment",
    "unchanged": "the comment holds this review already",
}


@click.command(short_help="Put a review into a pull request's comment.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@option("--on", type=click.Choice(list(_SETTINGS)), required=True, help="Whose pull or merge request it is.")
@option("--number", type=click.IntRange(1), required=True, help="The pull or merge request's number.")
@option(
    "--author",
    default="github-actions[bot]",
    show_default=True,
    metavar="LOGIN",
    help="Who the token writes as, on GitHub; GitLab is asked.",
)
@pass_console
def comment(console: Console, file: Path, on: str, number: int, author: str) -> None:
    """Put FILE, the Markdown of `review`, into a comment of a pull request; a later one replaces it in place.

    In a workflow or pipeline: GITHUB_API_URL, GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and
    JWKS_REVIEW_TOKEN, say where. A token that may not write there, as a fork's, is a note and exit code 0.
    """
    forge = _forge(on, number, author)
    if forge is None:
        console.note(f"not commented: {_SETTINGS[on][2]} is not set")
        return
    try:
        text = file.read_text("utf-8", errors="replace")
        console.say(f"#{number}: {_DONE[run(place(forge, text))]}")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except RefusedTokenError as error:
        console.note(f"not commented: {error}")
    except CommentError as error:
        console.error(f"not commented: {error}")
        raise click.exceptions.Exit(3) from None


def _forge(on: str, number: int, author: str) -> Forge | None:
    """The pull request; None without a token. A usage error outside of a workflow."""
    api, project, token = (os.environ.get(name, "") for name in _SETTINGS[on])
    missing = [name for name in _SETTINGS[on][:2] if not os.environ.get(name)]
    if missing:
        raise click.UsageError(f"{' and '.join(missing)} must be set, as a workflow or pipeline has it")
    if not token:
        return None
    base = api.rstrip("/")
    if on == "github":
        return GitHub(api=base, repository=project, number=number, token=token, author=author)
    return GitLab(api=base, project=project, number=number, token=token)
