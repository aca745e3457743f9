"""What happened and what it cost, as a table."""

from __future__ import annotations

from tests.fleet.disasters import Disaster
from tests.fleet.ledger import Ledger
from tests.fleet.visits import Outcome

HEAD = ("second", "what happened", "for", "requests", "failed", "sign-ins begun anew", "put off (503)", "cut short")


def table(ledger: Ledger) -> str:
    """Return the log of a run in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(_row(ledger, disaster) for disaster in ledger.disasters)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([*lines, "", _sums(ledger)])


def _row(ledger: Ledger, disaster: Disaster) -> tuple[str, ...]:
    meanwhile = [each for each in ledger.visits if each.ended >= disaster.began and each.started <= disaster.over]
    excused = [visit for visit in ledger.visits if disaster.excuses(visit)]
    failed = [visit for visit in excused if visit.outcome is Outcome.FAILED]
    anew = [visit for visit in excused if visit.outcome is Outcome.ONCE_MORE]
    put_off = [visit for visit in excused if visit.outcome is Outcome.PUT_OFF]
    return (
        f"{disaster.began - ledger.began:.0f}",
        disaster.what,
        f"{disaster.over - disaster.began:.0f} s",
        str(len(meanwhile)),
        str(len(failed)),
        str(len(anew)),
        str(len(put_off)),
        str(disaster.cut_short),
    )


def _sums(ledger: Ledger) -> str:
    sums = {
        "requests": len(ledger.visits),
        "failed": len(ledger.of(Outcome.FAILED)),
        "put off": len(ledger.of(Outcome.PUT_OFF)),
        "signed out unasked": len(ledger.of(Outcome.SIGNED_OUT)),
        "sign-ins": len(ledger.pool.sign_ins),
        "refreshes": ledger.pool.refreshes,
        "live at the end": len(ledger.live),
        "ended and told": ledger.told,
        "told again": len(ledger.pool.told) - ledger.told,
        "never told": len(ledger.never_told()),
        "restarts in the background": ledger.restarts,
    }
    return ", ".join(f"{name}: {count}" for name, count in sums.items())
