"""Who moves what from where to where, written down from workflow.md 4.1–4.4 and not from units/workflow.py."""

# 4.2. The rows' column “entered by” names who brings a record into a state, “next” whereto it goes from there.
RECORD = {
    ("suspect", "assigned"): {"R5"},
    ("suspect", "dropped"): {"R5"},
    ("assigned", "filling"): {"R2", "R3"},
    ("filling", "co_check"): {"R3"},
    ("co_check", "filling"): {"R4", "R5"},  # back: who looks at it there
    ("co_check", "checked"): {"R1"},
    ("checked", "filling"): {"R1", "R5"},  # back
    ("checked", "determined"): {"R5"},
    ("determined", "filling"): {"R5"},  # opened again
    ("determined", "dropped"): {"R5"},
    ("determined", "mapped"): {"R1"},
    ("mapped", "district_ok"): {"R6"},
    ("district_ok", "submitted"): {"R5"},
    ("district_ok", "determined"): {"R6"},  # back to 5
    ("submitted", "in_force"): {"R7"},
    ("submitted", "determined"): {"R7"},  # back to 5, with comments per record
    ("in_force", "updating"): {"R5"},
    ("updating", "checked"): {"R1"},  # “batch goes 4→9 again”: 4 is entered by R1, and from there as above
    ("in_force", "in_project"): {"R5"},
    ("in_force", "redeveloped"): {"R5"},
    ("in_project", "redeveloped"): {"R5"},
}
# 4.3: draft (R1/R2), confirmed (R5), district_ok (R6), accepted (R7). The worksheet is run by who runs rules (R1), what
# is submitted is submitted by the office as in 4.2. Returns are those of the review (NK053), and of who looks at it.
LEGACY = {
    ("draft", "evidence"): {"R1", "R2"},
    ("evidence", "tested"): {"R1"},
    ("tested", "confirmed"): {"R5"},
    ("tested", "evidence"): {"R1", "R5"},
    ("confirmed", "district_ok"): {"R6"},
    ("district_ok", "submitted"): {"R5"},
    ("district_ok", "tested"): {"R6"},
    ("submitted", "accepted"): {"R7"},
    ("submitted", "tested"): {"R7"},
}
# 4.3: opened → violation handled → documents complete → district consent → (L2: city approval) → title → closed.
DISPOSAL = {
    ("", "opened"): {"R5"},
    ("opened", "violation_handled"): {"R5"},
    ("violation_handled", "documents_complete"): {"R5"},
    ("documents_complete", "district_consent"): {"R6"},
    ("district_consent", "city_approval"): {"R8"},  # of L2
    ("district_consent", "title"): {"R5"},  # of L1
    ("city_approval", "title"): {"R5"},
    ("title", "closed"): {"R5"},
}
# 4.4: drawn → checked → consulted → approved version → amended by a new version, which nobody asks for by itself.
UNIT = {
    ("draft", "checked"): {"R1", "R5"},
    ("checked", "draft"): {"R1", "R5"},
    ("checked", "consulted"): {"R5"},
    ("consulted", "draft"): {"R5", "R6"},
    ("consulted", "approved"): {"R6"},
}
STATES = {
    "record": [
        *("suspect", "assigned", "filling", "co_check", "checked", "determined", "mapped", "district_ok"),
        *("submitted", "in_force", "updating", "in_project", "redeveloped", "dropped"),
    ],
    "legacy": ["draft", "evidence", "tested", "confirmed", "district_ok", "submitted", "accepted"],
    "disposal": [
        *("", "opened", "violation_handled", "documents_complete", "district_consent", "city_approval"),
        *("title", "closed"),
    ],
    "unit": ["draft", "checked", "consulted", "approved", "amended", "deleted"],
}
TABLE = {"record": RECORD, "legacy": LEGACY, "disposal": DISPOSAL, "unit": UNIT}
