"""A fleet as in production, on loopback, to which everything happens that happens to fleets.

Three gunicorn masters behind nginx with the configuration of `deploy/nginx`, PostgreSQL, Redis, two workers and two
sweeps; two hundred people who go on clicking meanwhile. `test_fleet.py` lives through it once; for longer:

    python -m tests.fleet --seconds 600

Read it in this order:

    pool.py         FleetPool: a user pool that keeps account, and can leave some people's calls without an answer
    parts.py        RedisServer, Command: processes that can be stopped and started
    proxy.py        Proxy: nginx, and the certificate of the site
    fleet.py        Fleet: all of it together, with releases that take each other's place
    visits.py       what each page load came to
    crowd.py        Crowd: the people
    disasters.py    what happens to the fleet, and what it may cost
    story.py        a run from the first sign-in to the last look
    ledger.py       Ledger: what must hold afterwards, whatever has happened
    report.py       the table
    next_release/   what the next release has in addition: a migration
"""
