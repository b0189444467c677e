"""Failed sign-ins, and how long an address has to wait after them."""

from ipaddress import ip_address, ip_network

from sqlalchemy import delete, func, insert, select

from operators.management import tables
from operators.management.errors import TooManyAttemptsError
from operators.management.records import SECOND, Records
from service.clock import microseconds, ordered_id

FREE = 5  # failures of an address without a wait
FIRST_WAIT_S = 60
LONGEST_WAIT_S = 900
MEMORY_S = 3600


def wait_s(failures: int) -> int:
    """The seconds to wait after the last of so many failures: doubled with each over FREE."""
    return 0 if failures < FREE else min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - FREE, 8))


def network(address: str) -> str:
    """The network that counts as one caller: an IPv6 site has 2^64 addresses."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class Attempts:
    """In the database: all replicas count together."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def check(self, address: str) -> None:
        """Raises TooManyAttemptsError."""
        at, failures = microseconds(), tables.failures.c
        own = select(func.count(), func.max(failures.at)).where(
            failures.address == network(address), failures.at > at - MEMORY_S * SECOND
        )
        count, last = await self._records.read(lambda connection: connection.execute(own).one())
        left = wait_s(count) - (at - (last or 0)) // SECOND
        if left > 0:
            raise TooManyAttemptsError(f"Too many failed sign-ins: wait {left} seconds, then try again.")

    async def add(self, address: str) -> None:
        at = microseconds()
        old = delete(tables.failures).where(tables.failures.c.at < at - MEMORY_S * SECOND)
        row = {"id": ordered_id(), "address": network(address), "at": at}
        await self._records.write(
            lambda connection: (connection.execute(old), connection.execute(insert(tables.failures), row))
        )
