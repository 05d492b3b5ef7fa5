"""Who visits the pages in the tests, and what they read there."""

from html import unescape

from streamlit.testing.v1 import AppTest

from tlcore import identity

ME = identity.new()


def words(visited: AppTest) -> str:
    """Return everything that a page says; its style sheet says nothing."""
    said = [each.proto.body for each in visited.html if not each.proto.body.startswith("<style")]
    said += [each.value for kind in (visited.markdown, visited.caption, visited.subheader) for each in kind]
    said += [each.label for each in visited.button]
    return unescape("\n".join(said))


def links(visited: AppTest) -> dict[str, str]:
    """Return page and parameters of every page link, by label."""
    return {each.proto.label: f"{each.proto.page}?{each.proto.query_string}" for each in visited.get("page_link")}
