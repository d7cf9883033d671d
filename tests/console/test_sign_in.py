import datetime as dt

import pytest
from sqlalchemy import select

from console.accounts import passwords, service
from console.accounts.limits import SignInLimiter, TooManyAttemptsError
from console.accounts.models import Role, SetupLink, User, UserSession
from console.accounts.passwords import PasswordTooLongError, PasswordTooShortError
from console.accounts.service import Client, NameTakenError, SetupLinkInvalidError, SignInRefusedError
from storage.audit import AuditRow, verify

PASSWORD = "correct horse battery"
HERE = Client("10.0.0.9", "Firefox")


@pytest.fixture
def li(database, clock) -> User:
    """An operator who has chosen a password."""
    with database.write() as session:
        user = service.create_user(session, "Li", Role.OPERATOR, clock.now())
        token = service.issue_setup_link(session, user, clock.now())
    with database.write() as session:
        return service.redeem_setup_link(session, token, PASSWORD, clock.now())


@pytest.fixture
def enter(database, clock):
    limiter = SignInLimiter(database)

    def attempt(name="li", password=PASSWORD, client=HERE):
        return service.sign_in(database, limiter, name, password, client=client, at=clock.now())

    return attempt


def test_right_password_opens_a_session_and_is_audited(database, clock, li, enter):
    opened = enter()
    with database.read() as session:
        user, found = service.find_session(session, opened.token, clock.now())
        assert (user.id, found.csrf_token) == (li.id, opened.csrf_token)
        assert opened.token not in {found.token_hash, found.csrf_token}
        actions = list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))
        assert actions == ["account.set_up", "account.signed_in"]
        assert verify(session) is None


@pytest.mark.parametrize("name", ["LI", " li ", "ｌｉ"])
def test_a_name_is_the_same_in_any_case_and_width(li, enter, name):
    assert enter(name).user.id == li.id


def test_a_name_is_taken_in_every_spelling(database, clock, li):
    with database.write() as session, pytest.raises(NameTakenError):
        service.create_user(session, "ＬＩ", Role.VOLUNTEER, clock.now())


def test_password_is_kept_as_argon2id_only(database, li):
    with database.read() as session:
        stored = session.scalar(select(User.password_hash))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_user_without_set_up_cannot_sign_in_with_anything(database, clock, enter):
    with database.write() as session:
        service.create_user(session, "new", Role.OPERATOR, clock.now())
    for password in ("", "new", "None", "there is nobody of this name"):
        with pytest.raises(SignInRefusedError):
            enter("new", password)


def test_inactive_user_is_signed_out_and_stays_out(database, clock, li, enter):
    opened = enter()
    with database.write() as session:
        service.deactivate(
            session, session.get_one(User, li.id), clock.now(), by="admin", role="administrator"
        )
    with database.read() as session:
        assert service.find_session(session, opened.token, clock.now()) is None
    with pytest.raises(SignInRefusedError):
        enter()


def test_unknown_name_costs_one_hash_like_a_known_one(monkeypatch, li, enter):
    verified = []

    class Counting:
        def verify(self, stored, password):
            verified.append(stored)
            raise passwords.VerificationError

    monkeypatch.setattr(passwords, "_hasher", Counting())
    for name in ("li", "nobody"):
        with pytest.raises(SignInRefusedError):
            enter(name, "wrong password!")
    assert len(verified) == 2
    parameters = [stored.split("$")[1:4] for stored in verified]
    assert parameters[0] == parameters[1]


def test_set_up_link_works_once(database, clock):
    with database.write() as session:
        user = service.create_user(session, "wang", Role.VOLUNTEER, clock.now())
        token = service.issue_setup_link(session, user, clock.now())
        assert session.get(SetupLink, token) is None, "the token itself is not stored"
    with database.write() as session:
        service.redeem_setup_link(session, token, PASSWORD, clock.now())
    with database.write() as session, pytest.raises(SetupLinkInvalidError):
        service.redeem_setup_link(session, token, "another password", clock.now())


@pytest.mark.parametrize(("hours", "valid"), [(23.99, True), (24, False)])
def test_set_up_link_ends_after_a_day(database, clock, hours, valid):
    with database.write() as session:
        user = service.create_user(session, "wang", Role.VOLUNTEER, clock.now())
        token = service.issue_setup_link(session, user, clock.now())
        clock.advance(hours=hours)
        assert service.setup_link_is_valid(session, token, clock.now()) is valid
        if not valid:
            with pytest.raises(SetupLinkInvalidError):
                service.redeem_setup_link(session, token, PASSWORD, clock.now())


def test_new_link_ends_the_one_before(database, clock):
    with database.write() as session:
        user = service.create_user(session, "wang", Role.VOLUNTEER, clock.now())
        first = service.issue_setup_link(session, user, clock.now())
        second = service.issue_setup_link(session, user, clock.now())
        assert not service.setup_link_is_valid(session, first, clock.now())
        assert service.setup_link_is_valid(session, second, clock.now())


@pytest.mark.parametrize(
    ("password", "error"), [("eleven char", PasswordTooShortError), ("x" * 513, PasswordTooLongError)]
)
def test_refused_password_leaves_the_link_usable(database, clock, password, error):
    with database.write() as session:
        user = service.create_user(session, "wang", Role.VOLUNTEER, clock.now())
        token = service.issue_setup_link(session, user, clock.now())
    with pytest.raises(error), database.write() as session:
        service.redeem_setup_link(session, token, password, clock.now())
    with database.read() as session:
        assert service.setup_link_is_valid(session, token, clock.now())


def test_choosing_a_new_password_ends_all_sessions(database, clock, li, enter):
    opened = enter()
    with database.write() as session:
        token = service.issue_setup_link(session, session.get_one(User, li.id), clock.now())
        service.redeem_setup_link(session, token, "quite another one", clock.now())
    with database.read() as session:
        assert service.find_session(session, opened.token, clock.now()) is None
    with pytest.raises(SignInRefusedError):
        enter()


@pytest.mark.parametrize(
    ("role", "lifetime"),
    [(Role.OPERATOR, dt.timedelta(hours=12)), (Role.VOLUNTEER, dt.timedelta(days=14))],
)
def test_session_ends_by_itself(database, clock, make_user, role, lifetime):
    user = make_user("who", role)
    with database.write() as session:
        token = service.open_session(session, user, HERE, clock.now()).token
        just_before = clock.now() + lifetime - dt.timedelta(seconds=1)
        assert service.find_session(session, token, just_before)
        assert service.find_session(session, token, clock.now() + lifetime) is None


def test_signing_in_sweeps_out_sessions_that_have_ended(database, clock, li, enter):
    enter()
    clock.advance(hours=13)
    enter()
    with database.read() as session:
        assert len(session.scalars(select(UserSession)).all()) == 1


def test_wrong_passwords_slow_only_the_address_they_come_from(clock, li, enter):
    attacker = Client("203.0.113.5")
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            enter(password="a guess that fails", client=attacker)
    with pytest.raises(TooManyAttemptsError) as refused:
        enter(client=attacker)
    assert 1 <= refused.value.retry_after_s <= 3
    assert enter(client=HERE).user.id == li.id
    clock.advance(seconds=refused.value.retry_after_s)
    assert enter(client=attacker).user.id == li.id


def test_hashing_that_stays_busy_is_answered_not_queued(monkeypatch, li, enter):
    monkeypatch.setattr(passwords, "_WAIT_S", 0)
    with passwords._slot(), passwords._slot(), pytest.raises(TooManyAttemptsError):
        enter()
    assert enter().user.id == li.id
