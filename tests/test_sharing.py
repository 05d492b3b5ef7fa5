"""Links into a project: who comes by one may do what it says, until it is withdrawn; everybody else sees nothing."""

import threading

import pytest

from tlcore import deletion, identity, project, removal, sharing
from tlcore.errors import UserError

OWNER, GUEST, STRANGER = identity.new(), identity.new(), identity.new()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THAW_HOME", str(tmp_path))


@pytest.fixture
def made():
    return project.create(OWNER, "Ice")


@pytest.mark.parametrize(("access", "may_change"), [("read", False), ("full", True)])
def test_who_comes_by_a_link_may_do_what_it_says_and_no_more(made, access, may_change):
    link = sharing.make(made.folder, access)
    with pytest.raises(UserError, match="no such project"):
        project.load(made.id, GUEST)
    assert project.let_in(made.id, link.secret, GUEST).access == access
    opened = project.load(made.id, GUEST)
    assert (opened.access, opened.may_change, opened.folder) == (access, may_change, made.folder)
    assert project.shared_with(GUEST) == (opened,) and project.owned_by(GUEST) == ()
    assert project.load(made.id, OWNER).access == "owner"


def test_a_stranger_sees_nothing_and_a_wrong_secret_lets_nobody_in(made):
    link = sharing.make(made.folder, "full")
    project.let_in(made.id, link.secret, GUEST)
    for secret in ("", "wrong", link.secret[:-1], "ü", link.secret + "a"):
        with pytest.raises(UserError, match="no such project"):
            project.let_in(made.id, secret, STRANGER)
    assert project.shared_with(STRANGER) == ()
    with pytest.raises(UserError, match="no such project"):
        project.load(made.id, "")


def test_a_link_of_one_project_opens_no_other(made):
    other = project.create(OWNER, "Other")
    link = sharing.make(made.folder, "full")
    with pytest.raises(UserError, match="no such project"):
        project.let_in(other.id, link.secret, GUEST)


def test_a_link_that_was_withdrawn_shuts_out_who_came_by_it_and_nobody_else(made):
    first, second = sharing.make(made.folder, "full"), sharing.make(made.folder, "read")
    project.let_in(made.id, first.secret, GUEST)
    project.let_in(made.id, second.secret, GUEST)
    project.let_in(made.id, second.secret, STRANGER)
    assert project.load(made.id, GUEST).access == "full"  # the better one counts
    sharing.withdraw(made.folder, first.secret)
    assert project.load(made.id, GUEST).access == "read"
    with pytest.raises(UserError, match="no such project"):
        project.let_in(made.id, first.secret, identity.new())
    sharing.withdraw(made.folder, second.secret)
    for guest in (GUEST, STRANGER):
        with pytest.raises(UserError, match="may have been withdrawn"):
            project.load(made.id, guest)
    assert project.load(made.id, OWNER) == made


def test_an_owner_who_opens_an_own_link_stays_the_owner(made):
    link = sharing.make(made.folder, "read")
    assert project.let_in(made.id, link.secret, OWNER).access == "owner"
    assert sharing.links(made.folder)[0].guests == ()


def test_thirty_browsers_that_come_at_once_are_all_let_in_once(made):
    link = sharing.make(made.folder, "read")
    guests = [identity.new() for _ in range(30)]
    coming = [threading.Thread(target=project.let_in, args=(made.id, link.secret, guest)) for guest in guests * 2]
    for one in coming:
        one.start()
    for one in coming:
        one.join()
    assert sorted(sharing.links(made.folder)[0].guests) == sorted(guests)


def test_a_project_has_only_so_many_links(made, monkeypatch):
    monkeypatch.setattr(sharing, "_MOST", 2)
    for access in ("read", "full"):
        sharing.make(made.folder, access)
    with pytest.raises(UserError, match="Withdraw one"):
        sharing.make(made.folder, "read")
    assert len({link.secret for link in sharing.links(made.folder)}) == 2


def test_a_double_click_makes_one_link_and_one_that_somebody_came_by_is_another(made):
    link = sharing.make(made.folder, "read")
    assert sharing.make(made.folder, "read") == link
    assert sharing.make(made.folder, "full") != link
    first = sharing.make(made.folder, "read")
    project.let_in(made.id, first.secret, GUEST)
    assert sharing.make(made.folder, "read") != first
    assert len(sharing.links(made.folder)) == 4


def test_withdrawing_a_link_of_a_deleted_project_leaves_nothing_in_its_place(made):
    link = sharing.make(made.folder, "read")
    deletion.delete_project(made)
    sharing.withdraw(made.folder, link.secret)  # a window that was still open
    assert not made.folder.exists()
    ((removed, _),) = deletion.deleted_projects(OWNER)
    removal.take_back(removed)
    assert project.owned_by(OWNER) == (made,) and sharing.links(made.folder) == (link,)
