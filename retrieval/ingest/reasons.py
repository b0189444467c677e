"""Why a document is not searchable: the words that status shows."""

EMPTY = "Empty"
ENCRYPTED = "Encrypted"
CORRUPT = "Corrupt"
TOO_LARGE = "TooLarge"
UNSUPPORTED = "Unsupported"
TIMED_OUT = "TimedOut"
UNREADABLE = "Unreadable"
OUTSIDE_SOURCE = "OutsideSource"
# Tried again without being asked:
STORE_UNAVAILABLE = "StoreUnavailable"
NO_SPACE = "NoSpace"
INTERNAL = "Internal"
