import datetime as dt

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from console.accounts import factors, halfway, service
from console.accounts.factors import CodeRefusedError, EnrolmentOverError
from console.accounts.halfway import CodeNeededError, HalfOverError
from console.accounts.limits import SignInLimiter, TooManyAttemptsError
from console.accounts.models import HalfSignIn, RecoveryCode, Role, SecondFactor, User, UserSession
from console.accounts.service import Client, SignInRefusedError
from storage.audit import AuditRow

PASSWORD = "correct horse battery"
HERE = Client("10.0.0.9", "Firefox")
# RFC 6238, appendix B: the SHA-1 secret and the last six of its eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(second, code):
    at = dt.datetime.fromtimestamp(second, dt.UTC)
    assert factors.step_of(RFC_SECRET, code, at, None) == second // 30


@given(st.integers(0, 2**31), st.integers(-5, 5))
def test_a_code_holds_in_its_step_and_one_to_each_side(second, off):
    at = dt.datetime.fromtimestamp(second + 10_000, dt.UTC)
    step = int(at.timestamp()) // 30 + off
    found = factors.step_of(RFC_SECRET, pyotp.TOTP(RFC_SECRET).generate_otp(step), at, None)
    if abs(off) <= factors.DRIFT:
        assert found is not None
    else:
        # A code of another step may happen to be the same digits.
        assert found != step


@given(st.text(max_size=12))
def test_what_is_no_code_is_refused_and_never_an_error(given_code):
    at = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    right = {pyotp.TOTP(RFC_SECRET).generate_otp(int(at.timestamp()) // 30 + off) for off in (-1, 0, 1)}
    if "".join(given_code.split()) not in right:
        assert factors.step_of(RFC_SECRET, given_code, at, None) is None


@pytest.fixture
def li(database, clock) -> User:
    with database.write() as session:
        user = service.create_user(session, "li", Role.OPERATOR, clock.now())
        token = service.issue_setup_link(session, user, clock.now())
    with database.write() as session:
        return service.redeem_setup_link(session, token, PASSWORD, clock.now())


@pytest.fixture
def coded(database, clock, li):
    """Li with a code app in force; gives the app's present code. The step of the enrolment is used up."""
    with database.write() as session:
        secret = factors.begin(session, session.get_one(User, li.id), clock.now(), "红花").secret
    app = pyotp.TOTP(secret)
    with database.write() as session:
        recovery = factors.confirm(session, session.get_one(User, li.id), app.at(clock.now()), clock.now())
    clock.advance(seconds=60)

    def code(steps: int = 0) -> str:
        return app.generate_otp(int(clock.now().timestamp()) // 30 + steps)

    code.recovery, code.secret = recovery, secret
    return code


@pytest.fixture
def limiter(database):
    return SignInLimiter(database)


@pytest.fixture
def first(database, clock, limiter):
    def attempt(name="li", password=PASSWORD, client=HERE) -> str:
        with pytest.raises(CodeNeededError) as needed:
            service.sign_in(database, limiter, name, password, client=client, at=clock.now())
        return needed.value.token

    return attempt


@pytest.fixture
def second(database, clock, limiter):
    def attempt(half, code, client=HERE):
        return service.complete(database, limiter, half, code, client=client, at=clock.now())

    return attempt


def test_password_alone_opens_no_session(database, coded, first):
    half = first()
    with database.read() as session:
        assert session.scalars(select(UserSession)).all() == []
        assert service.find_session(session, half, dt.datetime(2026, 11, 23, 7, 1, tzinfo=dt.UTC)) is None


def test_password_and_code_open_one_and_it_is_noted_how(database, coded, first, second, li):
    opened = second(first(), coded())
    assert opened.user.id == li.id
    with database.read() as session:
        assert session.scalars(select(HalfSignIn)).all() == []
        row = session.scalars(select(AuditRow).where(AuditRow.action == "account.signed_in")).one()
        assert row.detail == "app"


def test_a_code_is_taken_once_and_so_is_each_before_it(coded, first, second):
    used, earlier = coded(), coded(-1)
    second(first(), used)
    for code in (used, earlier):
        with pytest.raises(SignInRefusedError):
            second(first(), code)


def test_code_of_the_enrolment_signs_nobody_in(database, clock, li, first, second):
    with database.write() as session:
        secret = factors.begin(session, session.get_one(User, li.id), clock.now(), "").secret
    code = pyotp.TOTP(secret).at(clock.now())
    with database.write() as session:
        factors.confirm(session, session.get_one(User, li.id), code, clock.now())
    with pytest.raises(SignInRefusedError):
        second(first(), code)


def test_recovery_codes_work_once_each_and_in_any_writing(coded, first, second, database, li):
    code = coded.recovery[0]
    second(first(), code.upper().replace("-", " "))
    with pytest.raises(SignInRefusedError):
        second(first(), code)
    second(first(), coded.recovery[1])
    with database.read() as session:
        assert factors.codes_left(session, li.id) == factors.RECOVERY_CODES - 2


def test_neither_secret_nor_recovery_codes_are_readable_in_the_database(database, coded):
    with database.read() as session:
        sealed = session.execute(text("SELECT secret FROM second_factors")).scalar_one()
        hashes = list(session.scalars(select(RecoveryCode.code_hash)))
    assert coded.secret.encode() not in bytes(sealed)
    assert len(hashes) == len(set(coded.recovery)) == factors.RECOVERY_CODES
    assert not {code.replace("-", "") for code in coded.recovery} & set(hashes)


def test_half_way_row_ends_after_some_tries_and_after_minutes(coded, first, second, clock):
    half = first(client=Client("198.51.100.1"))
    for number in range(halfway.TRIES):
        with pytest.raises(SignInRefusedError):
            second(half, "000000", Client(f"198.51.100.{number}"))
    with pytest.raises(HalfOverError):
        second(half, coded())
    late = first()
    clock.advance(seconds=halfway.LIFETIME.total_seconds())
    with pytest.raises(HalfOverError):
        second(late, coded())


def test_stranger_is_not_told_that_the_password_was_wrong(database, coded, first, second, clock, limiter):
    half = first(password="a guess that fails")
    with pytest.raises(SignInRefusedError):
        second(half, coded())
    # The right code with the wrong password did not even use the code up.
    assert second(first(), coded()).user.name == "li"


def test_unknown_names_are_answered_alike_each_time_and_some_of_them_go_on(database, coded, clock, limiter):
    def goes_on(name: str) -> bool:
        try:
            service.sign_in(database, limiter, name, "x" * 12, client=Client(f"a-{name}"), at=clock.now())
        except CodeNeededError:
            return True
        except SignInRefusedError:
            return False
        raise AssertionError

    names = [f"nobody{number}" for number in range(8)]
    answers = [goes_on(name) for name in names]
    assert answers == [goes_on(name) for name in names] == [halfway.seems_to_go_on(name) for name in names]


def test_where_nobody_has_a_second_factor_a_wrong_name_is_just_refused(database, clock, li, limiter):
    for number in range(8):
        with pytest.raises(SignInRefusedError):
            service.sign_in(database, limiter, f"nobody{number}", "x" * 12, client=HERE, at=clock.now())


def test_wrong_codes_slow_the_code_wherever_they_come_from_but_not_a_known_browser(
    database, coded, first, second, clock, li
):
    with database.write() as session:
        token = service.known.remember(session, li.id, "", clock.now())
    for number in range(12):
        client = Client(f"198.51.100.{number}")
        try:
            second(first(client=client), "000000", client)
        except SignInRefusedError:
            continue
        except TooManyAttemptsError:
            break
    with pytest.raises(TooManyAttemptsError):
        second(first(client=Client("203.0.113.9")), coded(), Client("203.0.113.9"))
    own = Client("10.0.0.9", "Firefox", token)
    assert second(first(client=own), coded(), own).user.id == li.id


def test_enrolment_waits_a_while_keeps_its_key_and_is_void_afterwards(database, clock, li):
    with database.write() as session:
        user = session.get_one(User, li.id)
        begun = factors.begin(session, user, clock.now(), "红花")
        assert factors.begin(session, user, clock.now(), "红花").secret == begun.secret
        assert "issuer=Ringward" in begun.uri
        with pytest.raises(CodeRefusedError):
            factors.confirm(session, user, "12345", clock.now())
        clock.advance(minutes=15)
        with pytest.raises(EnrolmentOverError):
            factors.confirm(session, user, pyotp.TOTP(begun.secret).at(clock.now()), clock.now())
        assert factors.begin(session, user, clock.now(), "红花").secret != begun.secret
        assert factors.enrolled(session, li.id) is None


def test_removing_takes_recovery_codes_too(database, clock, coded, li):
    with database.write() as session:
        user = session.get_one(User, li.id)
        assert factors.remove(session, user, clock.now(), by="admin", role="administrator")
        assert (
            session.scalars(select(RecoveryCode)).all() == session.scalars(select(SecondFactor)).all() == []
        )
        assert not factors.remove(session, user, clock.now(), by="admin", role="administrator")
