"""The edges where copies are kept. Only `cli` imports this package, and only `open_cdn` from it."""

from publisher.cdn import Cdn

__all__ = ["open_cdn"]

_WANTED = "write cloudfront:DISTRIBUTION or purge:http://HOST:PORT"


def open_cdn(spec: str) -> Cdn:
    """The CDN that a specification names.

    - `cloudfront:DISTRIBUTION`: Amazon CloudFront, by paths; `cloudfront:DISTRIBUTION/tags` by cache tags and
      `cloudfront:DISTRIBUTION/tenants` by distribution tenants (see `cdns.cloudfront`). Credentials are the usual AWS
      settings.
    - `purge:URL`: the HTTP method PURGE for each domain, as Varnish, Fastly and nginx with a purge module take it. With
      `{domain}` in it the URL is each domain's own; without, it names the cache, and the Host header names the domain.

    Raises ValueError, in one line that says what to write, for any other; CdnError where there are no credentials.
    Nothing is sent yet.
    """
    kind, colon, rest = spec.partition(":")
    if not colon or kind not in ("cloudfront", "purge"):
        raise ValueError(f"a CDN is named by its kind and its address; {_WANTED}")
    if kind == "purge":
        from publisher.cdns.purge import open_purge

        return open_purge(rest)
    from publisher.cdns.cloudfront import open_cloudfront

    return open_cloudfront(rest)
