"""Text of strangers that no viewer takes for more than text, whatever the viewer renders.

Viewers of findings differ, and change: job logs act on workflow commands, SARIF's messages hold embedded links (SARIF
2.1.0 section 3.11.6), others render HTML or Markdown, link addresses, or tell whom a text mentions. What begins such a
thing is written as an escape, as `clean` writes control characters, which all of them show as it is. Backquotes stay:
they are this program's own quotes, and what could stand behind one does nothing.
"""

import re

from publisher.diagnostic import begun, clean

_LIVE = re.compile(
    r"<"  # HTML, Markdown's <https://...>
    r"|&(?=[#A-Za-z])"  # HTML's character references
    r"|(?<=\]\])>"  # the end of CDATA
    r"|(?<=\])\("  # [links](of SARIF and Markdown)
    r"|!(?=\[|[0-9])"  # Markdown's images, GitLab's !merge-requests
    r"|@(?=\w)"  # mentions, mail addresses
    r"|#(?=[#\[\w])"  # ##[commands] of GitHub's runner, ##vso[those] of Azure's, #issues
    r"|:(?=:)"  # ::commands::
    r"|(?<=:)/(?=/)"  # addresses with a scheme
    r"|(?<=\bwww)\.",  # addresses without one
    re.IGNORECASE,
)


def inert(text: str) -> str:
    """The text in printable characters, with all that could be a command, a tag, a link or a mention escaped."""
    return _LIVE.sub(lambda match: f"\\x{ord(match[0]):02x}", clean(text))


def logged(text: str) -> str:
    """A line for people, in printable characters, that no job's log obeys (see `annotations`)."""
    return begun(clean(text))
