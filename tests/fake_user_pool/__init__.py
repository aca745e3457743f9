"""A user pool for tests: real HTTP on loopback, real RS256 tokens, and the behaviour of Amazon Cognito.

Read it in this order; each module is small:

    state.py        what the pool remembers: people, sign-ins, codes, refresh tokens
    signing.py      key pairs, and every way to sign a token wrongly
    claims.py       what stands in the tokens
    rules.py        UserPool: the rules of sign-in, refresh and revocation, without HTTP
    hosted_ui.py    /oauth2/authorize, /login and /logout
    endpoints.py    /oauth2/token, /oauth2/revoke, /oauth2/userInfo, keys and discovery
    api.py          the JSON API: user_api.py for people's own tokens, admin_api.py and description.py for
                    administrators, shapes.py for what these have in common
    faults.py       slow answers, failures, and the record of calls
    server.py       the HTTP plumbing
    pool.py         FakeUserPool: all of it together, what tests hold in their hands
"""

from tests.fake_user_pool.faults import Call, Failure
from tests.fake_user_pool.pool import FakeUserPool
from tests.fake_user_pool.signing import Signing
from tests.fake_user_pool.state import Person, PoolError, TokenResponse

__all__ = ["Call", "Failure", "FakeUserPool", "Person", "PoolError", "Signing", "TokenResponse"]
