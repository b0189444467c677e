"""Failed sign-ins, and how long an address has to wait after them."""

from ipaddress import ip_address, ip_network

from sqlalchemy import delete, func, insert, select

from operators.management import tables
from operators.management.errors import TooManyAttemptsError
from operators.management.records import SECOND, Records, new_id, now

FREE = 5  # failures of an address without a wait
FIRST_WAIT_S = 60
LONGEST_WAIT_S = 900
MEMORY_S = 3600


def wait_s(failures: int) -> int:
    """The seconds to wait after the last of so many failures: doubled with each over FREE."""
    return 0 if failures < FREE else min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - FREE, 8))


def network(address: str) -> str:
    """Whose address it is: of IPv6, a site has 2^64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class Attempts:
    """In the database, so that all replicas count together."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def check(self, address: str) -> None:
        """Raises TooManyAttemptsError."""
        at, failures = now(), tables.failures.c
        own = select(func.count(), func.max(failures.at)).where(
            failures.address == network(address), failures.at > at - MEMORY_S * SECOND
        )
        count, last = await self._records.read(lambda connection: connection.execute(own).one())
        left = wait_s(count) - (at - (last or 0)) // SECOND
        if left > 0:
            raise TooManyAttemptsError(f"Too many failed sign-ins: wait {left} seconds, then try again.")

    async def add(self, address: str) -> None:
        at = now()
        old = delete(tables.failures).where(tables.failures.c.at < at - MEMORY_S * SECOND)
        row = {"id": new_id(), "address": network(address), "at": at}
        await self._records.write(
            lambda connection: (connection.execute(old), connection.execute(insert(tables.failures), row))
        )
