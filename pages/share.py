"""Share: links that let others look at a project or work in it, and can be withdrawn."""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from pages.parts import frame, place, problems, words
from tlcore import sharing, workspace
from tlcore.errors import UserError
from tlcore.guard import THIS_COMPUTER
from tlcore.project import Project
from tlcore.sharing import Link

KINDS = {"read": "Look only", "full": "Full access"}
ALLOWS = {
    "read": "See pictures, runs and results, and take models away.",
    "full": "Bring in pictures, train, stop and delete runs too. Deleting the project stays with you.",
}
ONLY_HERE = "Only this computer can open the addresses below. For others, end Thaw and start it again with --share."


def draw(opened: Project) -> None:
    access = st.radio(
        "Whoever opens the link may", tuple(KINDS), format_func=KINDS.get, captions=list(ALLOWS.values()), key="access"
    )
    if st.button("Make a link", type="primary", key="make-link"):
        with problems.shown():
            sharing.make(opened.folder, access)
    made = sharing.links(opened.folder)
    if made and urlsplit(server()).hostname in THIS_COMPUTER:
        frame.message("warm", ONLY_HERE)
    for link in reversed(made):
        draw_link(opened, link)


def draw_link(opened: Project, link: Link) -> None:
    with st.container(border=True, key=f"link-{link.secret}"):
        guests = words.count(len(link.guests), "browser") if link.guests else "nobody yet"
        st.caption(f"{KINDS[link.access]}, made {words.moment(link.made)}, opened by {guests}")
        st.code(address_of(opened, link), language=None, wrap_lines=True)
        if st.button(
            "Withdraw", key=f"withdraw-{link.secret}", help="Whoever came by this link sees nothing any more."
        ):
            sharing.withdraw(opened.folder, link.secret)
            st.rerun()


def address_of(opened: Project, link: Link) -> str:
    """Return the address to hand on."""
    return f"{server()}/runs?" + urlencode({"project": opened.id, "share": link.secret})


def server() -> str:
    """Return how others reach this server: as the owner does, or where that is on this computer, as was set."""
    page = urlsplit(st.context.url or "")
    if page.hostname in THIS_COMPUTER and workspace.address():
        return workspace.address()
    return f"{page.scheme}://{page.netloc}" if page.netloc else ""


opened = place.opened_project()
frame.title("Share", "Whoever opens a link of this project gets in, until you withdraw it.", opened)
if opened.access != "owner":
    raise UserError("This project was shared with you.", "Only its owner can hand it on.")
draw(opened)
