"""`cdn-config`."""

import functools
from collections.abc import Callable
from typing import Any

import click

from publisher import edgeconfig
from publisher.cdns.cloudfront import TAG_HEADER
from publisher.cli.console import Console
from publisher.cli.options import Asked, option, pass_console, repository_options
from publisher.fleet import source_policy
from publisher.policy import Cache

origin_option = option(
    "--origin",
    metavar="URL",
    required=True,
    help="The store over HTTP: http://HOST:PORT/BUCKET/PREFIX of a gateway, or, for nginx, https or file:///dir.",
)


@click.group()
def cdn_config() -> None:
    """Print ready configuration for what serves a store: nginx, Varnish or CloudFront.

    It maps Host to live/HOST/.well-known/jwks.json and serves nothing else, so the store stays private. Cache times are
    policy.yaml's, of the working tree or of --rev.
    """


def _config(command: Callable[..., str]) -> Callable[..., Any]:
    """Give a command its cache times, and print what it makes."""

    @functools.wraps(command)
    def wrapper(console: Console, *, asked: Asked, **settings: Any) -> None:
        policy, problems = source_policy(asked.tree_or_revision(console))
        for one in sorted(problems):
            console.finding(str(one))
        if problems:
            raise click.exceptions.Exit(1)
        try:
            console.finding(command(policy.cache, **settings).rstrip("\n"))
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    return repository_options(pass_console(wrapper))


@cdn_config.command()
@origin_option
@option("--listen", metavar="[ADDRESS:]PORT", default="80", show_default=True, help="Where nginx listens.")
@option("--cache-dir", metavar="DIR", default="/var/lib/nginx/jwks", show_default=True, help="Where copies are kept.")
@_config
def nginx(cache: Cache, **settings: Any) -> str:
    """A configuration for nginx, to include in http {}: /etc/nginx/conf.d/jwks.conf.

    Open-source nginx has no PURGE; a revoked key leaves it with its cache time.
    """
    return edgeconfig.nginx(settings.pop("origin"), cache, **settings)


@cdn_config.command()
@origin_option
@option(
    "--purge-from",
    metavar="ADDRESS",
    multiple=True,
    default=("127.0.0.1", "::1"),
    show_default=True,
    help="An address or network that may PURGE; may be given again.",
)
@_config
def varnish(cache: Cache, **settings: Any) -> str:
    """A VCL program for Varnish: varnishd -a :80 -f jwks.vcl."""
    return edgeconfig.varnish(settings.pop("origin"), cache, **settings)


@cdn_config.command()
@option("--store", metavar="URL", required=True, help="The bucket: s3://bucket/prefix.")
@option("--region", help="The bucket's region.  [default: the stack's]")
@option("--multi-tenant", is_flag=True, help="A multi-tenant distribution: a distribution tenant for each domain.")
@_config
def cloudfront(cache: Cache, **settings: Any) -> str:
    """A CloudFormation template: the distribution, its function, and the policy of the private bucket.

    The policy lets CloudFront alone read live/*, and refuses writes without a condition.
    """
    return edgeconfig.cloudfront(settings.pop("store"), cache, tag_header=TAG_HEADER, **settings)
