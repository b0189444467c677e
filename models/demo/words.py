"""Word lists of the synthetic corpus."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# What an attribute is made of: "<modifier> <head>"; the head says which kind of value it takes.
MODIFIERS = _words("""refund delivery monthly annual weekly daily support warranty return shipping billing
    payment service training trial storage backup battery opening closing head regional main
    local export import sales press legal emergency guest member student group family night
    weekend summer winter spring holiday parking cleaning repair upgrade setup rental loan
    energy water fuel network upload download login account order invoice contract project
    product quality safety security health travel meal room ticket seat luggage data message
    email phone video audio image print paper default standard express priority minimum
    maximum average total first second final early late internal external public private
    partner supplier customer vendor user team staff board budget audit tax review launch
    release update research design test machine engine vehicle garden kitchen library museum
    lab office factory harbour airport station""")

HEADS: dict[str, tuple[str, ...]] = {
    "duration": ("window", "period", "term", "time", "notice", "wait", "life", "delay", "break"),
    "money": ("price", "fee", "cost", "charge", "deposit", "penalty", "budget", "grant"),
    "size": ("limit", "capacity", "quota", "allowance", "volume"),
    "clock": ("hour", "cutoff", "start", "slot", "call"),
    "date": ("date", "deadline", "day", "event"),
    "place": ("office", "warehouse", "branch", "site", "city", "address", "location", "depot"),
    "person": ("contact", "manager", "director", "owner", "lead", "officer", "agent", "chair"),
    "code": ("code", "number", "reference", "extension", "key", "label"),
    "percent": ("discount", "rate", "share", "margin", "bonus"),
    "measure": ("weight", "length", "height", "width", "range", "depth"),
}

UNITS: dict[str, tuple[str, ...]] = {
    "duration": ("days", "hours", "minutes", "weeks", "months", "years", "business days", "working days", "seconds"),
    "money": ("dollars", "euros", "pounds", "USD", "EUR", "dollars per month", "euros per year"),
    "size": ("GB", "TB", "MB", "users", "seats", "requests", "items", "files", "projects", "pages", "boxes", "litres"),
    "percent": ("%", "percent"),
    "measure": ("kg", "cm", "km", "mm", "grams", "metres", "miles", "tonnes"),
}

MONTHS = _words("January February March April May June July August September October November December")

TIERS = _words("Basic Pro Plus Max Lite Team Business Premium Standard Starter Gold Silver Prime Family Flex")
PRODUCTS = _words(
    "plan router printer phone tablet scanner camera pump drone heater laptop charger "
    "bike speaker monitor sensor policy card app service"
)
COMPANIES = _words(
    "Ltd Inc Group Labs Bank Clinic Hotel Logistics Airlines Motors Foods Energy "
    "Insurance Partners Systems Media Works University Museum"
)
PLACES = _words("office branch store school library shop factory warehouse clinic hotel park station lab team")

# Made-up names: an onset and a vowel per syllable, now and then a coda.
ONSETS = _words("b c d f g h j k l m n p r s t v w z br dr fl gr st tr")
VOWELS = _words("a e i o u a e i o ia")
CODAS = _words("l n r s x nd rt ck")

# Names a reader may meet in real documents, so that their letter patterns are seen, too.
KNOWN_NAMES = _words("""Acme Globex Initech Contoso Northwind Quiver Umbra Stark Wayne Hooli Vertex Nimbus
    Orion Atlas Zephyr Falcon Phoenix Summit Harbor River Berlin Paris London Madrid Vienna
    Lisbon Oslo Dublin Boston Denver Chicago Tokyo Lyon Geneva Hamburg Prague Warsaw Athens
    Toronto Sydney Anna Maria Peter Thomas Julia David Sarah James Laura Martin Emma Oliver
    Sofia Daniel Clara Victor Alice Robert Helen Simon Smith Miller Jones Brown Taylor Wilson
    Garcia Weber Fischer Novak Rossi Silva Moreau Tanaka Singh Kim Larsen""")
